"""How much of TemporalGap's question can be answered here at all: python -m evaluation.experiments.gap_evidence --help.

Pairs of slices are drawn as the method draws them, from ``train`` recordings to fit and from ``dev`` recordings to ask.
What simple models tell of the gap from two slices' features is held against an answer that knows nothing, against one
that knows which slices overlap, and against the floor.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.lab import in_own_processes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.settings import read_settings
from nowplaying_core.statistics import paired_difference
from nowplaying_core.text import markdown_table
from pretraining.config.run import PretrainingConfig

__all__ = ["committed_table", "entropy", "main", "to_markdown"]

RESULTS: Final = Path(__file__).with_name("gap_evidence.json")
CONFIG: Final = Path(__file__).parents[2] / "configs" / "pretraining" / "temporal_gap.toml"
_SPANS_S: Final = (5.0, 10.0)
_N_FITTED: Final = 24  # batches
_N_ASKED: Final = 12
_PENALTY: Final = 1e-3
_N_DIRECTIONS: Final = 16
Floats = NDArray[np.float64]


def main() -> None:
    """Draw the pairs, fit what is to be fitted, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument(
        "--run", type=Path, action="append", default=[], help="a finished run or a model whose encoder is asked"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of gap_evidence.json")
    parser.add_argument("--publish", action="store_true", help=f"write {RESULTS.name} here, which the page shows")
    options = parser.parse_args()
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    options.out.mkdir(parents=True, exist_ok=True)
    (result,) = in_own_processes(measure, [(sources, options.run)])
    write_json(options.out / RESULTS.name, result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def committed_table() -> str:
    """Return the published table."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def measure(sources: TrainingSources, runs: Sequence[Path]) -> dict[str, Any]:
    """Return for clips of each length the cross entropies of all answers, on the same pairs."""
    from pretraining.encoder import embed
    from pretraining.methods.random import random_encoder
    from pretraining.probe.rows import BandStatistics
    from pretraining.probe.run import open_encoder
    from pretraining.sounds import clip_sampler

    config = PretrainingConfig.from_dict(read_settings(CONFIG))
    encoders: dict[str, Any] = {"band statistics": BandStatistics(), "random weights": random_encoder(config)}
    encoders |= {run.name: open_encoder(run)[2] for run in runs}
    rows = []
    for span_s in _SPANS_S:
        parts = [
            _draw(config, clip_sampler(config, sources, split=split, min_s=span_s), span_s, n)
            for split, n in (("train", _N_FITTED), ("dev", _N_ASKED))
        ]
        (_, known, near_known), (_, share, near) = parts
        nothing = np.full(len(share), known.mean())
        overlap = np.where(near, known[near_known].mean(), known[~near_known].mean())
        answers = {"nothing known": nothing, "which slices overlap": overlap, "floor": share}
        for name, encoder in encoders.items():
            pairs, asked = (embed(encoder, images).reshape(len(images) // 2, 2, -1) for images, _, _ in parts)
            answers |= {f"{name}, {how}": fit(pairs, known, asked) for how, fit in _READERS.items()}
        base = entropy(share, nothing)
        for name, answer in answers.items():
            nats = entropy(share, answer)
            minus = paired_difference(nats, base, range(len(base)), np.random.default_rng(0))
            less = {key: round(minus[key], 5) for key in ("difference", "low", "high")}
            rows.append({"clip_s": span_s, "answer": name, "nats": round(float(nats.mean()), 5), "minus": less})
    return {"n_fitted": _N_FITTED * config.clips_per_step, "n_asked": _N_ASKED * config.clips_per_step, "rows": rows}


def entropy(share: Floats, answer: Floats) -> Floats:
    """Return the cross entropy of each share in [0, 1] under an answer, in nats; answers stay within 0.0001 of it."""
    inside = np.clip(answer, 1e-4, 1 - 1e-4)
    nats: Floats = -(share * np.log(inside) + (1 - share) * np.log1p(-inside))
    return nats


def _draw(
    config: PretrainingConfig, clips: Any, span_s: float, n_batches: int
) -> tuple[NDArray[np.float32], Floats, NDArray[np.bool_]]:
    """Return images, two of each pair, the gaps as shares, and which pairs overlap."""
    from pretraining.methods.temporal_gap import TemporalGap

    method = TemporalGap(replace(config, objective=replace(config.objective, clip_s=span_s)))
    images, shares = [], []
    for number in range(n_batches):
        slices, share = method.draw(clips, np.random.default_rng([number, round(span_s)]))
        images.append(np.asarray(method.images(slices)))
        shares.append(share[:, 0].astype(np.float64))
    together = np.concatenate(shares)
    window_s = config.front_end.window_s
    return np.concatenate(images), together, together * (span_s - window_s) < window_s


def _logistic(vectors: Floats, known: Floats, asked: Floats) -> Floats:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(vectors)
    rows, n = scaler.transform(vectors), len(vectors)
    model = LogisticRegression(C=_PENALTY, max_iter=300)
    # A share is so much of the label 1 and the rest of 0.
    model.fit(np.tile(rows, (2, 1)), np.repeat([1, 0], n), np.concatenate([known, 1 - known]))
    answer: Floats = model.predict_proba(scaler.transform(asked))[:, 1]
    return answer


def _side_by_side(pairs: Floats, known: Floats, asked: Floats) -> Floats:
    """Read both vectors as the method's head does, by a hidden layer; a linear reader of them could tell nothing.

    Of their strongest directions alone: with all 128 numbers of each such a layer learns thousands of pairs by heart.
    """
    from sklearn.decomposition import PCA
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    flat = pairs.reshape(-1, pairs.shape[-1])
    n_kept = min(_N_DIRECTIONS, flat.shape[1])
    seen = make_pipeline(StandardScaler(), PCA(n_kept), StandardScaler()).fit(flat)

    def turned(two: Floats) -> list[Floats]:
        both = seen.transform(two.reshape(-1, two.shape[-1])).reshape(len(two), 2, n_kept)
        return [both.reshape(len(two), -1), both[:, ::-1].reshape(len(two), -1)]

    model = MLPRegressor(hidden_layer_sizes=(64,), alpha=1.0, early_stopping=True, max_iter=500, random_state=0)
    model.fit(turned(pairs)[0], known)  # a pair the other way round would tell what is held out to stop by
    answer: Floats = np.mean([model.predict(one) for one in turned(asked)], axis=0)
    return answer


def _difference(pairs: Floats, known: Floats, asked: Floats) -> Floats:
    return _logistic(np.abs(pairs[:, 0] - pairs[:, 1]), known, np.abs(asked[:, 0] - asked[:, 1]))


def _trees(pairs: Floats, known: Floats, asked: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=60, max_depth=3, learning_rate=0.05, random_state=0)
    model.fit(np.abs(pairs[:, 0] - pairs[:, 1]), known)
    answer: Floats = model.predict(np.abs(asked[:, 0] - asked[:, 1]))
    return answer


_READERS: Final[Mapping[str, Callable[[Any, Floats, Any], Floats]]] = {
    "side by side, hidden layer": _side_by_side,
    "difference": _difference,
    "difference, trees": _trees,
}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table; every figure is taken from the result."""
    spans = list(dict.fromkeys(row["clip_s"] for row in result["rows"]))
    found = {(row["answer"], row["clip_s"]): row for row in result["rows"]}
    rows = []
    for answer in dict.fromkeys(row["answer"] for row in result["rows"]):
        cells = []
        for span in spans:
            row = found[answer, span]
            minus = "{difference:+.3f} ({low:+.3f} to {high:+.3f})".format(**row["minus"])
            cells += [f"{row['nats']:.3f}", minus if answer != "nothing known" else ""]
        rows.append([answer, *cells])
    heading = ["answer from"]
    for span in spans:
        heading += [f"nats, clips of {span:g} s", "less nothing known"]
    text = (
        f"Cross entropy of the gap's share in nats on {result['n_asked']} pairs of `dev` recordings, fitted to "
        f"{result['n_fitted']} of `train`; differences with 95 % intervals, pairs drawn as if independent. Made by "
        "`python -m evaluation.experiments.gap_evidence`."
    )
    return f"{text}\n\n{markdown_table(heading, rows)}\n"


if __name__ == "__main__":
    run_command(main)
