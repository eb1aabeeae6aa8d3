"""With and without a pretrained encoder: python -m evaluation.experiments.from_encoder --help.

Pairs of runs have one seed and equal budgets: the run without an encoder trains for the distillation's steps as well.
Finished runs are kept, and a stopped run resumes.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.lab import in_own_processes, logged
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.settings import check_given, require_counts
from nowplaying_core.statistics import student
from nowplaying_core.text import counted, markdown_table

RESULTS: Final = Path(__file__).parent
NAME: Final = "from_encoder"
CONFIGS: Final = Path(__file__).parents[2] / "configs"


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True, help="model folder of nowplaying publish encoder")
    parser.add_argument("--seeds", type=int, default=3, help="pairs of runs")
    parser.add_argument("--scenes", type=int, default=1000, help="of 30 s, to train a detector on")
    parser.add_argument("--detector-steps", type=int, default=1500, help="of a detector after the encoder's")
    parser.add_argument("--distilled-steps", type=int, default=500, help="in which a detector learns from the encoder")
    parser.add_argument("--fingerprinter-steps", type=int, default=300)
    parser.add_argument("--only", choices=("detector", "fingerprinter"))
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of from_encoder.json")
    parser.add_argument(
        "--publish",
        metavar="NAME",
        nargs="?",
        const=NAME,
        help=f"write NAME.json here, {NAME} by default, which docs/pretraining/from-encoder.md is made from",
    )
    parser.add_argument("--jobs", type=int, default=1, help="pairs at a time")
    options = parser.parse_args()
    names = ("scenes", "detector_steps", "distilled_steps", "fingerprinter_steps")
    settings = {name: getattr(options, name) for name in names}
    require_counts(options, "seeds", *names)
    counts = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir).counts()
    encoder = ModelFolder.open(options.encoder, role="audio_encoder").manifest
    options.out.mkdir(parents=True, exist_ok=True)
    given = {**settings, **counts, "embedding_space": encoder["embedding_space"]}
    check_given(options.out, given, begun=True)
    measures: dict[str, Callable[..., dict[str, float]]] = {"detector": detector, "fingerprinter": fingerprinter}
    pairs = [(name, seed) for seed in range(1, options.seeds + 1) for name in measures if options.only in {None, name}]
    # All runs without an encoder come first: the first of a pair makes the scenes that the second finds.
    rows: list[dict[str, Any]] = [
        {"what": name, "seed": seed, "with_encoder": with_encoder}
        for with_encoder in (False, True)
        for name, seed in pairs
    ]
    found = in_own_processes(kept, [_run(measures, row, options) for row in rows], jobs=options.jobs)
    rows = [{**row, "found": figures} for row, figures in zip(rows, found, strict=True)]
    result = {
        "settings": settings,
        "encoder": encoder["name"],
        "rows": rows,
    }
    write_json(options.out / f"{NAME}.json", result)
    print(to_markdown(summary(result)))
    if options.publish:
        write_json(RESULTS / f"{options.publish}.json", summary(result))


def committed_table(name: str = NAME) -> str:
    """Return the table of a published result, by the name that it was published under."""
    return to_markdown(json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def _run(measures: Mapping[str, Any], row: Mapping[str, Any], options: argparse.Namespace) -> tuple[Any, ...]:
    encoder = options.encoder if row["with_encoder"] else None
    folder = options.out / f"{row['what']}-{row['seed']}-{'encoder' if encoder else 'random'}"
    return measures[row["what"]], folder, row["seed"], encoder, options


def kept(measure: Callable[..., dict[str, float]], folder: Path, *how: Any) -> dict[str, float]:
    """Return what a run found, from its file or by running it."""
    path = folder / "found.json"
    if not path.is_file():
        write_json(path, measure(folder, *how))
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found


def detector(folder: Path, seed: int, encoder: Path | None, options: argparse.Namespace) -> dict[str, float]:
    """Train a detector; both runs of a pair use the same scenes."""
    from detector.training.config import DetectorConfig
    from detector.training.train import train_detector
    from pretraining.tflite_encoder import TfliteEncoder

    config = DetectorConfig.read(CONFIGS / "detector.toml")
    steps = options.detector_steps + (0 if encoder else options.distilled_steps)
    training = replace(config.training, seed=seed, n_scenes=options.scenes, steps=steps)
    report = train_detector(
        replace(config, training=training),
        folder,
        sources=TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir),
        features_dir=options.out / f"features-{seed}",
        n_threads=1,
        encoder=None if encoder is None else TfliteEncoder(encoder),
        distilled_steps=options.distilled_steps,
    )
    return {"ROC area, float": report.float_area, "ROC area, int8": report.quantized_area}


def fingerprinter(folder: Path, seed: int, encoder: Path | None, options: argparse.Namespace) -> dict[str, float]:
    """Train a fingerprinter; its figures are the best top-1 on ``dev`` while it trained and that after a third."""
    from fingerprinter.training.config import TrainingConfig
    from fingerprinter.training.train import train
    from pretraining.encoder import WEIGHTS_NAME

    config = TrainingConfig.read(CONFIGS / "fingerprinter-audio2vec.toml")
    n_steps = options.fingerprinter_steps
    third = max(1, n_steps // 3)
    # Where training is validated it has stopped for a checkpoint.
    config = replace(config, seed=seed, n_steps=n_steps, validate_every=third, checkpoint_every=third)
    sources = TrainingSources(corpus=options.corpus, cache_dir=options.cache_dir)
    train(config, sources, folder, init_from=None if encoder is None else encoder / WEIGHTS_NAME)
    validated = {int(row["step"]): float(row["dev_top1"]) for row in logged(folder) if row.get("dev_top1")}
    return {"dev top-1": max(validated.values()), "dev top-1 at a third": validated[third]}


def summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is published of the runs: means, and differences with a 95 % interval by Student's t over pairs."""
    rows, figures = result["rows"], []
    for what in dict.fromkeys(row["what"] for row in rows):
        for figure in next(row["found"] for row in rows if row["what"] == what):
            plain, begun = (
                np.array(
                    [row["found"][figure] for row in rows if (row["what"], row["with_encoder"]) == (what, with_encoder)]
                )
                for with_encoder in (False, True)
            )
            means = {"random": float(plain.mean()), "encoder": float(begun.mean())}
            figures.append({"what": what, "figure": figure, **means, **_difference(begun - plain)})
    n_pairs = len({row["seed"] for row in rows})
    return {"settings": result["settings"], "encoder": result["encoder"], "n_pairs": n_pairs, "figures": figures}


def _difference(differences: NDArray[np.float64]) -> dict[str, float]:
    found = student(differences)
    if differences.size < 2:
        return {"difference": found.value}
    return {"difference": found.value, "low": found.low, "high": found.high}


def to_markdown(result: Mapping[str, Any]) -> str:
    """Return the table of a :func:`summary`."""
    settings = result["settings"]
    about = {
        "detector": f"The detector: {settings['scenes']} scenes; {settings['distilled_steps']} steps in which it "
        f"learns the encoder's embeddings and {settings['detector_steps']} of training, or as many of training alone.",
        "fingerprinter": "The fingerprinter: the small encoder under a fingerprint's head, "
        f"{settings['fingerprinter_steps']} steps.",
    }
    measured = " ".join(about[what] for what in dict.fromkeys(row["what"] for row in result["figures"]))
    interval = "; the difference with a 95 % interval by Student's t over the pairs" if result["n_pairs"] > 1 else ""
    text = (
        f"`{result['encoder']}` against random weights, {counted(result['n_pairs'], 'pair')} of runs. {measured} Per "
        f"cent{interval}. Made by `python -m evaluation.experiments.from_encoder`.\n\n"
    )
    rows = []
    for row in result["figures"]:
        apart = f"{100 * row['difference']:+.2f}"
        if "low" in row:
            apart += f" ({100 * row['low']:+.2f} to {100 * row['high']:+.2f})"
        rows.append([row["what"], row["figure"], f"{100 * row['random']:.2f}", f"{100 * row['encoder']:.2f}", apart])
    headings = ["", "figure", "random weights", "encoder", "difference"]
    return text + markdown_table(headings, rows, numbers=(2, 3, 4)) + "\n"


if __name__ == "__main__":
    run_command(main)
