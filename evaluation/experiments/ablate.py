"""Train and evaluate variants of the fingerprinter with equal budgets: python -m evaluation.experiments.ablate --help.

Each variant of ``ablations.toml`` is trained, exported in int8 (and in float, where ``with_float`` asks what int8
costs), given a codebook, and asked the same queries of 1 to 8 s. What is finished is kept, so a run that was stopped
goes on, and variants can be added. ``--variants evaluation/experiments/attention.toml`` compares the papers' networks,
``capacity.toml`` lengths of training and sizes of network.
"""

import argparse
import json
import multiprocessing
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final, Literal

import numpy as np

from evaluation.experiments.ablate_report import N_QUERIES, to_markdown
from evaluation.experiments.lab import logged
from evaluation.retrieval.rank1 import LENGTHS_S
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.artifacts import write_arrays, write_json
from nowplaying_core.command import run_command
from nowplaying_core.settings import init_run_dir, merged
from nowplaying_core.statistics import paired_difference

VARIANTS: Final = Path(__file__).with_name("ablations.toml")
ATTENTION: Final = VARIANTS.with_name("attention.toml")
CAPACITY: Final = VARIANTS.with_name("capacity.toml")
ANSWERS_NAME: Final = "answers.npz"
TRACKS: Final = "tracks"
_LOGGED: Final = 5  # lines of a log that a loss is the mean of
Precision = Literal["int8", "float32"]


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=Path, default=VARIANTS)
    parser.add_argument("--only", action="append", help="name of a variant; all by default")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--rendered-midi", type=Path)
    parser.add_argument("--extra-data", type=Path)
    parser.add_argument(
        "--teacher", type=Path, help="folder of a finished run, for variants with a distillation_weight"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument(
        "--publish",
        metavar="NAME",
        nargs="?",
        const="",
        help="write NAME.json beside the variants, by their own name by default; docs/ablations.md shows it",
    )
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    table = tomllib.loads(options.variants.read_text(encoding="utf-8"))
    for variant in table["variant"]:
        result = options.out / folder_name(variant["name"]) / "result.json"
        if options.only and variant["name"] not in options.only:
            continue
        config = TrainingConfig.from_dict(merged(table["base"], variant.get("settings", {})))
        init_run_dir(config, result.parent)  # refuses a finished run of other settings
        if not result.is_file():
            # A process each: TensorFlow gives its memory back only when it ends.
            precisions = ("int8", "float32") if variant.get("with_float") else ("int8",)
            child = multiprocessing.get_context("spawn").Process(
                target=run,
                args=(config, precisions, result, options),
                kwargs={
                    "n_queries": table.get("queries", N_QUERIES),
                    "lengths_s": table.get("lengths_s", LENGTHS_S),
                },
            )
            child.start()
            child.join()
            if child.exitcode:
                raise SystemExit(child.exitcode)
    results = {
        variant["name"]: json.loads(path.read_text(encoding="utf-8")) | losses(path.parent)
        for variant in table["variant"]
        if (path := options.out / folder_name(variant["name"]) / "result.json").is_file()
    }
    compare(results, options.out)
    print(to_markdown(table["base"], results, table.get("queries", N_QUERIES)))
    if options.publish is not None:
        write_json(options.variants.with_name(f"{options.publish or options.variants.stem}.json"), results)


def committed_table(variants: Path = VARIANTS, name: str = "") -> str:
    """Return the table of a file of variants' results, by the name that they were published under."""
    table = tomllib.loads(variants.read_text(encoding="utf-8"))
    results = json.loads(variants.with_name(f"{name or variants.stem}.json").read_text(encoding="utf-8"))
    return to_markdown(table["base"], results, table.get("queries", N_QUERIES))


def compare(results: dict[str, dict[str, Any]], folder: Path) -> None:
    """Enter each variant's difference to the first, query by query, where the answers of both are there."""
    answers = {}
    for name in results:
        if (path := folder / folder_name(name) / ANSWERS_NAME).is_file():
            with np.load(path, allow_pickle=False) as stored:
                answers[name] = dict(stored)
    if not results or (first := next(iter(results))) not in answers:
        return
    tracks = answers[first][TRACKS].tolist()
    for name in answers.keys() - {first}:
        results[name]["minus"] = {
            "of": first,
            "rank1": {
                condition: paired_difference(right, answers[first][condition], tracks, np.random.default_rng(1))
                for condition, right in answers[name].items()
                if condition in answers[first] and condition != TRACKS
            },
        }


def run(
    config: TrainingConfig,
    precisions: Sequence[Precision],
    result: Path,
    options: argparse.Namespace,
    *,
    n_queries: int,
    lengths_s: Sequence[float],
) -> None:
    """Train one variant, ship it in each precision, evaluate it and write what came out."""
    from evaluation.retrieval.embedding import EmbeddingCache
    from evaluation.retrieval.rank1 import counted, right_by_length
    from export.publish_fingerprinter import publish_fingerprinter
    from fingerprinter.training.progress import checkpoint_state
    from fingerprinter.training.train import train
    from nowplaying_core.audio.sources import TrainingSources
    from nowplaying_core.manifest import ModelFolder

    sources = TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )
    folder = result.parent
    if checkpoint_state(folder)["step"] < config.n_steps:
        train(config, sources, folder, teacher=options.teacher if config.objective.distillation_weight else None)
    # For the codebook a third of the music is enough, and it is the same for all variants.
    recordings = replace(sources, rendered_midi=None)
    models = {precision: folder / precision for precision in precisions}
    for precision, model in models.items():
        if not is_published(model):
            publish_fingerprinter(
                folder,
                model,
                recordings,
                name=f"{folder.name}-{precision}",
                precision=precision,
                all_code_sizes=False,
                jobs=options.jobs,
            )
    right = {
        precision: right_by_length(
            EmbeddingCache(model, options.cache_dir, jobs=options.jobs),
            options.corpus,
            options.cache_dir,
            n_queries=n_queries,
            lengths_s=lengths_s,
            jobs=options.jobs,
        )
        for precision, model in models.items()
    }
    counts = {precision: counted(of_condition) for precision, (of_condition, _) in right.items()}
    of_condition, tracks = right["int8"]
    write_arrays(folder / ANSWERS_NAME, {**of_condition, TRACKS: np.array(tracks)})
    manifest = ModelFolder.open(models["int8"], role="fingerprinter").manifest
    bytes_per_s = manifest["codebook"]["n_subspaces"] / manifest["reference_hop_s"]
    size = {name: manifest["encoder"][name] for name in ("n_parameters", "n_macs")}
    outcome = {"n_steps": config.n_steps, "bytes_per_s": bytes_per_s, **size, "rank1": counts["int8"]}
    if "float32" in counts:
        outcome["int8_loss_points"] = loss_points(counts["int8"], counts["float32"])
    write_json(result, outcome)


def loss_points(int8: Mapping[str, Mapping[str, int]], float32: Mapping[str, Mapping[str, int]]) -> float:
    """Return how many points of rank-1 int8 has more than float, on average over the conditions."""
    losses = [
        100 * (int8[name]["count"] / int8[name]["n"] - cell["count"] / cell["n"]) for name, cell in float32.items()
    ]
    return sum(losses) / len(losses)


def losses(folder: Path) -> dict[str, list[float]]:
    """Return a run's mean loss about half of its steps and at their end, if its log is there."""
    found = [float(row["loss"]) for row in logged(folder)]
    if not found:
        return {}
    half = len(found) // 2
    return {"loss": [round(fmean(part), 3) for part in (found[max(0, half - _LOGGED) : half], found[-_LOGGED:])]}


def is_published(model: Path) -> bool:
    """Return whether a model was published to the end: its codebook is entered last."""
    manifest = model / "manifest.json"
    return manifest.is_file() and "codebook" in json.loads(manifest.read_text(encoding="utf-8"))


def folder_name(name: str) -> str:
    """Return a variant's folder."""
    return "".join(letter if letter.isalnum() else "-" for letter in name)


if __name__ == "__main__":
    run_command(main)
