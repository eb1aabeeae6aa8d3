"""Perplexity of a run's transformer on unseen music, beside unigram and bigram models."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import entropy

from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import middle_95
from nowplaying_core.text import markdown_table
from pretraining.generation.code_run import CodeRun
from pretraining.generation.ngrams import Bigram, unigram

__all__ = ["MODELS", "draw_perplexities", "evaluate_perplexity", "perplexity_markdown", "track_codes", "used_alike"]

_log = logging.getLogger(__name__)

MODELS = ("unigram", "bigram", "transformer")
_N_DRAWS = 2000


def evaluate_perplexity(runs: Sequence[Path], corpus: Path, *, cache_dir: Path) -> dict[str, Any]:
    """Score the ``dev`` music of a corpus, clip by clip, the first code of each clip left out.

    Unigram and bigram count the corpus's ``train`` music whole, the transformer saw drawn clips of it (and of other
    sounds, as its run's settings say).

    Parameters
    ----------
    runs : sequence of Path
        Of a method with codes.
    corpus : Path
    cache_dir : Path
        For decoded audio.

    Returns
    -------
    dict
        ``runs``: for each its settings, how many codes the ``train`` music uses and the ``code_perplexity`` of that use
        (``n_codes`` where all are used alike often), ``perplexity`` of every model, a ``value`` with its
        interval ``low`` to ``high`` by bootstrap over tracks, and ``under_bigram``: by which share the transformer's is
        below the bigram's, on the same tracks.

    Raises
    ------
    ConfigError
        When a run is not finished or has no codes, a recording is in both splits, or no track is as long as a clip.
    """
    music = {split: [file.path for file in read_corpus(corpus, "music", split)] for split in ("train", "dev")}
    if both := set(music["train"]) & set(music["dev"]):
        message = (
            f"{min(both)}: expected music of train or of dev, found it in both splits, as {len(both)} recordings are; "
            "enter a split for each in the corpus's table"
        )
        raise ConfigError(message)
    rows = []
    for run in runs:
        opened = CodeRun.open(run)
        config = opened.config
        known, tested = (track_codes(opened, music[split], cache_dir) for split in ("train", "dev"))
        _log.info("%s: %d clips counted, %d tested", run.name, sum(map(len, known)), sum(map(len, tested)))
        counted = np.concatenate(known)
        n_codes = config.codes.n_codes
        shares, pairs = unigram(counted, n_codes), Bigram(counted, n_codes).probabilities
        nats = np.stack([_nats(codes, shares, pairs, opened) for codes in tested])
        n_asked = np.array([codes[:, 1:].size for codes in tested])
        drawn = draw_perplexities(nats, n_asked, np.random.default_rng(0))
        perplexity = np.exp(nats.sum(axis=0) / n_asked.sum())
        under = 1 - drawn[:, 2] / drawn[:, 1]
        rows.append(
            {
                "folder": run.name,
                "method": config.method,
                "seed": config.seed,
                "n_steps": config.n_steps,
                "clips_per_step": config.clips_per_step,
                "clip_s": config.objective.clip_s,
                "n_codes": n_codes,
                "n_codes_used": len(np.unique(counted)),
                "code_perplexity": used_alike(counted, n_codes),
                "n_parameters": int(opened.encoder.count_params()),
                "n_tracks": len(tested),
                "n_asked": int(n_asked.sum()),
                "perplexity": {
                    name: _with_interval(float(perplexity[column]), drawn[:, column])
                    for column, name in enumerate(MODELS)
                },
                "under_bigram": _with_interval(float(1 - perplexity[2] / perplexity[1]), under),
            }
        )
    return {"runs": rows}


def used_alike(codes: NDArray[np.integer], n_codes: int) -> float:
    """Return the perplexity of how often codes occur: as many as there are when all occur alike often, 1 for one."""
    counts = np.bincount(codes.ravel(), minlength=n_codes)
    return float(np.exp(entropy(counts)))


def draw_perplexities(
    nats: NDArray[np.float64], n_asked: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw perplexities as they might have been with other tracks.

    Parameters
    ----------
    nats : ndarray of float64, shape (n_tracks, n_models)
        Sums of cross entropy; the models are drawn together.
    n_asked : ndarray of int64, shape (n_tracks,)
        Codes of each track.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float64, shape (2000, n_models)
    """
    chosen = rng.integers(len(nats), size=(_N_DRAWS, len(nats)))
    drawn: NDArray[np.float64] = np.exp(nats[chosen].sum(axis=1) / n_asked[chosen].sum(axis=1)[:, None])
    return drawn


def track_codes(run: CodeRun, paths: Sequence[Path], cache_dir: Path) -> list[NDArray[np.int32]]:
    """Return the codes of each recording that is as long as a clip."""
    tracks = [codes for codes in (run.tokenize(load_cached(path, cache_dir)) for path in paths) if len(codes)]
    if not tracks:
        message = (
            f"expected music of {run.config.objective.clip_s:g} s or more, found none among {len(paths)} recordings"
        )
        raise ConfigError(message)
    return tracks


def _nats(
    codes: NDArray[np.int32], shares: NDArray[np.float64], pairs: NDArray[np.float64], run: CodeRun
) -> NDArray[np.float64]:
    """Return a track's sum of cross entropy under each of ``MODELS``."""
    following = codes[:, 1:]
    total = 0.0
    for clip in codes:  # one at a time, so that all are of one shape and compiled once
        logits = run.expecting.predict_on_batch(clip[None])[0, :-1].astype(np.float64)
        total += float((logsumexp(logits, axis=1) - logits[np.arange(len(logits)), clip[1:]]).sum())
    return np.array([-np.log(shares[following]).sum(), -np.log(pairs[codes[:, :-1], following]).sum(), total])


def _with_interval(value: float, drawn: NDArray[np.float64]) -> dict[str, float]:
    low, high = middle_95(drawn)
    return {"value": value, "low": low, "high": high}


def perplexity_markdown(result: dict[str, Any]) -> str:
    """Return the table; every figure is taken from the result."""
    headings = [
        "run",
        "steps x clips",
        "codes used",
        "as if alike often",
        "tracks, codes",
        *MODELS,
        "under it, %",
    ]
    rows = [
        [
            f"{row['method']}, seed {row['seed']}",
            f"{row['n_steps']} x {row['clips_per_step']} of {row['clip_s']:g} s",
            f"{row['n_codes_used']} of {row['n_codes']}",
            f"{row['code_perplexity']:.0f}",
            f"{row['n_tracks']}, {row['n_asked']}",
            *(_cell(row["perplexity"][name], 1) for name in MODELS),
            _cell(row["under_bigram"], 100),
        ]
        for row in result["runs"]
    ]
    text = "Of the `dev` music's codes, clip by clip. Intervals are 95 %, bootstrap over tracks."
    return f"# Perplexity of the next code\n\n{text}\n\n{markdown_table(headings, rows)}\n"


def _cell(found: dict[str, float], factor: float) -> str:
    return f"{factor * found['value']:.1f} ({factor * found['low']:.1f}-{factor * found['high']:.1f})"
