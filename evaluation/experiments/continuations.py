"""Which continuation of a song a listener prefers, a transformer's or a bigram model's.

python -m evaluation.experiments.continuations --help. Prompts from ``dev`` music go on by codes drawn from each model.
Two listeners judge the sound of what is drawn: the shipped music detector, and how far its mean pitch classes are from
the prompt's. What the song itself went on with, through the same codes, is the best that these codes can do; past them,
as its log-mel alone, the best that any can.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.network import WINDOW_S
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.audio import SAMPLE_RATE_HZ, rms_dbfs
from nowplaying_core.audio.cache import load_cached
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.command import run_command
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import cluster_bootstrap, paired_difference
from nowplaying_core.text import markdown_table, with_interval

if TYPE_CHECKING:
    from detector.stream import StreamingDetector
    from pretraining.generation.code_run import CodeRun

__all__ = ["committed_table", "distance", "judge", "main", "music_probability", "prompts_of", "summary", "to_markdown"]

RESULTS: Final = Path(__file__).with_name("continuations.json")
PROMPT_S: Final = 5.0
DRAWN_S: Final = 10.0
SONG, TRANSFORMER, BIGRAM, OTHER = "the song itself", "transformer", "bigram", "another song"
UNCODED: Final = "the song itself, without codes"
_LEAST_DBFS: Final = -40.0
Floats = NDArray[np.float64]


def main() -> None:
    """Continue every prompt by every model, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="+", help="folder of a finished run with codes")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--prompts", type=int, default=40, help="songs, one prompt of each")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn")
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    parser.add_argument("--publish", action="store_true", help=f"write {RESULTS.name} here, which the page shows")
    options = parser.parse_args()
    prompts = prompts_of(options.corpus, options.cache_dir, options.prompts)
    known = [file.path for file in read_corpus(options.corpus, "music", "train")]
    rows = [judge(run, prompts, known, options.cache_dir, seed=options.seed) for run in options.run]
    result = {"schema": "continuations/1", "prompt_s": PROMPT_S, "drawn_s": DRAWN_S, "runs": rows}
    write_json(options.out, result)
    print(to_markdown(result))
    if options.publish:
        write_json(RESULTS, result)


def committed_table() -> str:
    """Return the published table."""
    return to_markdown(json.loads(RESULTS.read_text(encoding="utf-8")))


def prompts_of(corpus: Path, cache_dir: Path, n_prompts: int) -> list[NDArray[np.float32]]:
    """Return the middle of songs of the ``dev`` split: a prompt and what came after it, (PROMPT_S + DRAWN_S) each.

    Raises
    ------
    ConfigError
        When fewer songs are long and loud enough.
    """
    n_samples, n_prompt = (round(seconds * SAMPLE_RATE_HZ) for seconds in (PROMPT_S + DRAWN_S, PROMPT_S))
    found = []
    for file in read_corpus(corpus, "music", "dev"):
        samples = load_cached(file.path, cache_dir)
        first = (len(samples) - n_samples) // 2
        if first < 0:
            continue
        excerpt = samples[first : first + n_samples]
        if min(rms_dbfs(excerpt[:n_prompt]), rms_dbfs(excerpt[n_prompt:])) > _LEAST_DBFS:
            found.append(excerpt)
    if len(found) < n_prompts or n_prompts < 2:
        message = (
            f"--prompts: expected 2 to {len(found)}, as many songs of the dev split have {PROMPT_S + DRAWN_S:g} s "
            f"above {_LEAST_DBFS:g} dBFS in their middle, found {n_prompts}"
        )
        raise ConfigError(message)
    return [found[number] for number in np.linspace(0, len(found) - 1, n_prompts).round().astype(int)]


def judge(
    run_dir: Path,
    excerpts: Sequence[NDArray[np.float32]],
    known: Sequence[Path],
    cache_dir: Path,
    *,
    seed: int,
) -> dict[str, Any]:
    """Return what both listeners say of each model's continuations of the same prompts.

    Parameters
    ----------
    run_dir : Path
        A finished run with codes.
    excerpts : sequence of ndarray of float32
        As :func:`prompts_of` cuts them.
    known : sequence of Path
        Recordings whose codes the bigram model counts.
    cache_dir : Path
    seed : int
        Equal prompts and seeds give equal continuations.

    Returns
    -------
    dict
        As :func:`summary`, and the run's method, seed and steps.
    """
    from detector.stream import StreamingDetector
    from pretraining.audit.chroma import pitch_levels
    from pretraining.generation.code_run import CodeRun
    from pretraining.generation.ngrams import Bigram
    from pretraining.generation.perplexity import track_codes
    from pretraining.mel_to_audio import mel_to_audio

    run, detector = CodeRun.open(run_dir), StreamingDetector.from_model()
    config, front_end = run.config, run.config.front_end
    bigram = Bigram(np.concatenate(track_codes(run, known, cache_dir)), config.codes.n_codes)
    n_prompt = round(PROMPT_S * SAMPLE_RATE_HZ)
    models = (UNCODED, SONG, TRANSFORMER, BIGRAM)
    probabilities: dict[str, list[float]] = {model: [] for model in models}
    prompts: dict[str, list[Floats]] = {model: [] for model in models}
    classes: dict[str, list[Floats]] = {model: [] for model in models}

    def mean_classes(image: NDArray[np.float32]) -> Floats:
        found: Floats = pitch_levels(image[None, :, :, None], front_end)[0].mean(axis=1)
        return found

    for number, excerpt in enumerate(excerpts):
        pieces = [excerpt[:n_prompt], *clips(run, excerpt[n_prompt:])]
        prompt, went_on = run.listen(pieces[0]), np.concatenate([run.listen(piece) for piece in pieces[1:]])
        n_frames = len(prompt) * config.codes.slice_frames
        level = float(np.sqrt(np.mean(np.square(excerpt[:n_prompt], dtype=np.float64))))
        drawn = {SONG: np.concatenate([prompt, went_on])}
        drawn |= continuations(run, bigram, prompt, len(went_on), seed=[seed, number])
        images = {name: np.asarray(run.quantizer.images(codes[None]))[0, :, :, 0] for name, codes in drawn.items()}
        images[UNCODED] = np.concatenate([run.image(piece) for piece in pieces], axis=1)
        for name, image in images.items():
            samples = mel_to_audio(image, front_end, rms=level, seed=seed)
            probabilities[name].append(
                music_probability(detector, samples, n_frames * front_end.hop_samples / SAMPLE_RATE_HZ)
            )
            prompts[name].append(mean_classes(image[:, :n_frames]))
            classes[name].append(mean_classes(image[:, n_frames:]))
    distances = {name: distance(np.array(classes[name]), np.array(prompts[name])) for name in models}
    distances[OTHER] = distance(np.array(classes[SONG]), np.roll(prompts[SONG], 1, axis=0))
    music = {name: np.array(rows) for name, rows in probabilities.items()}
    return {
        "method": config.method,
        "seed": config.seed,
        "n_steps": config.n_steps,
        "detector": SHIPPED_DETECTOR,
        **summary(music, distances),
    }


def clips(run: "CodeRun", samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return a sound in pieces of a clip of the run, the last one as long as is left."""
    n_samples = run.n_positions * run.slice_samples
    return [samples[first : first + n_samples] for first in range(0, len(samples), n_samples)]


def continuations(
    run: "CodeRun", bigram: Any, prompt: NDArray[np.int32], n_codes: int, *, seed: Sequence[int]
) -> dict[str, NDArray[np.int32]]:
    """Return a prompt's codes with drawn ones after them, by model; both draw at temperature 1."""
    from pretraining.generation.continuation import continued, draw_code

    rng, codes = np.random.default_rng(seed), list(prompt)
    logits = np.log(bigram.probabilities)
    for _ in range(n_codes):
        codes.append(draw_code(logits[codes[-1]], rng))
    by_transformer = continued(run, prompt, n_codes, rng=np.random.default_rng(seed))
    return {TRANSFORMER: by_transformer, BIGRAM: np.array(codes, np.int32)}


def music_probability(detector: "StreamingDetector", samples: NDArray[np.float32], start_s: float) -> float:
    """Return the detector's mean probability of music over the decisions that cover nothing before ``start_s``."""
    detector.reset()
    found = [decision.probability for decision in detector.process(samples) if decision.time_s >= start_s + WINDOW_S]
    return float(np.mean(found))


def distance(first: Floats, second: Floats) -> Floats:
    """Return 1 less the correlation of pitch classes, in [0, 2], row by row, less what is usual in both together.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n, 12)
        Mean pitch classes; row k of one is held against row k of the other.
    """
    usual = np.concatenate([first, second]).mean(axis=0)
    a, b = (rows - usual - (rows - usual).mean(axis=1, keepdims=True) for rows in (first, second))
    lengths = np.sqrt(np.sum(a**2, axis=1) * np.sum(b**2, axis=1))
    found: Floats = 1 - np.sum(a * b, axis=1) / np.maximum(lengths, 1e-12)
    return found


def summary(probabilities: Mapping[str, Floats], distances: Mapping[str, Floats]) -> dict[str, Any]:
    """Return means by model with 95 % intervals over songs, and what the transformer's are less the bigram's.

    Parameters
    ----------
    probabilities, distances : mapping of str to ndarray of float64, shape (n_prompts,)
        By model, prompt by prompt.
    """
    songs = range(len(probabilities[BIGRAM]))
    found: dict[str, Any] = {"n_prompts": len(songs)}
    for name, values in (("music", probabilities), ("distance", distances)):
        found[name] = {
            model: asdict(cluster_bootstrap(rows, songs, np.random.default_rng(0))) for model, rows in values.items()
        }
        difference = paired_difference(values[TRANSFORMER], values[BIGRAM], songs, np.random.default_rng(0))
        found[name]["transformer less bigram"] = {key: difference[key] for key in ("difference", "low", "high")}
    return found


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table; every figure is taken from the result."""
    rows = []
    for row in result["runs"]:
        run = f"{row['method']}, {row['n_steps']:,} steps"
        for model in (UNCODED, SONG, TRANSFORMER, BIGRAM, OTHER):
            found = [row[name].get(model) for name in ("music", "distance")]
            if any(found):  # a run that was judged before there was a row without codes has none
                rows.append([run, model, *(with_interval(one, 2) if one else "" for one in found)])
        apart = [row[name]["transformer less bigram"] for name in ("music", "distance")]
        cells = [with_interval(cell, 2, of="difference", sign="+") for cell in apart]
        rows.append([run, "transformer less bigram, paired", *cells])
    n_prompts = "; ".join(dict.fromkeys(str(row["n_prompts"]) for row in result["runs"]))
    text = (
        f"{n_prompts} songs of the `dev` split, {result['prompt_s']:g} s of each as prompt and {result['drawn_s']:g} s "
        f"drawn after it; P(music) by {result['runs'][0]['detector']}. Intervals are 95 %, bootstrap over songs. "
        "Made by `python -m evaluation.experiments.continuations`.\n\n"
    )
    headings = ["run", "continued by", "P(music)", "distance of pitch classes to the prompt's"]
    return text + markdown_table(headings, rows) + "\n"


if __name__ == "__main__":
    run_command(main)
