"""Train and measure decoders of equal latents with equal budgets: python -m evaluation.experiments.decoders --help.

First the perceptual encoder, then every decoder of ``configs/pretraining/decoders``, all of the first seed before any
of the second. Finished runs and measures are kept, and a stopped run resumes.
"""

import argparse
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from evaluation.experiments.decoder_report import to_markdown
from evaluation.experiments.lab import in_own_processes, logged
from fingerprinter.training.progress import checkpoint_state
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.command import run_command
from nowplaying_core.settings import (
    check_given,
    init_run_dir,
    merged,
    read_settings,
    require_between,
    require_counts,
    require_given,
    require_not_negative,
)
from pretraining.config.run import PretrainingConfig

ROWS: Final = (
    "diffusion",
    "diffusion_mse",
    "diffusion_mse_perceptual",
    "diffusion_mse_perceptual_1",
    "mse",
    "gan",
    "gan_spectral",
    "gan_perceptual_1",
)
TRIED: Final = (  # of the first seed alone: what the perceptual weight and the critic were chosen among, with some rows
    "diffusion_mse_perceptual_0.3",
    "diffusion_mse_perceptual_3",
    "gan_rate_4",
    "gan_matching",
)
CHOSEN_AMONG: Final = (
    "diffusion_mse",
    "diffusion_mse_perceptual",
    "diffusion_mse_perceptual_1",
    "gan",
    "gan_spectral",
    "gan_perceptual_1",
    *TRIED,
)
OURS: Final = "diffusion_mse_perceptual_1"
CRITIC: Final = "gan_perceptual_1"
RESULTS: Final = Path(__file__).with_name("decoders.json")
LONGER: Final = Path(__file__).with_name("decoders-2000.json")  # one seed, 2,000 steps of 32 windows
PERCEPTUAL_ENCODER: Final = "perceptual_encoder"
REAL: Final = "real"
CURVE: Final = (1, 2, 4, 8, 16)
_RESULT, _CHOICE = "result.json", "choice.json"
_MEASURING: Final = ("images", "latents", "latent_steps", "sampling_steps")
_PROTOCOL: Final = ("seeds", *_MEASURING)
_CHOICE_SEED: Final = 0  # of the windows to choose by, which no table shows


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, default=Path(__file__).parents[2] / "configs/pretraining/decoders")
    parser.add_argument(
        "--changes", type=Path, help="TOML of settings for all rows, such as small.toml among the configs"
    )
    parser.add_argument("--only", action="append", choices=(*ROWS, *TRIED), help="name of a row; all by default")
    parser.add_argument("--seeds", type=int, default=1, help="of each row, one after the other")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--rendered-midi", type=Path)
    parser.add_argument("--extra-data", type=Path)
    parser.add_argument("--images", type=int, default=5120, help="rebuilt in each row")
    parser.add_argument("--latents", type=int, default=20_480, help="that each latent model learns from")
    parser.add_argument("--latent-steps", type=int, default=4000)
    parser.add_argument("--sampling-steps", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--table", action="store_true", help="only make the table of the rows that are there")
    parser.add_argument(
        "--publish", action="store_true", help="write decoders.json, which docs/pretraining/decoders.md is made from"
    )
    options = parser.parse_args()
    if not options.table:
        fill(options)
    found = collected(options)
    print(to_markdown(found))
    if options.publish:
        write_json(RESULTS, found)


def committed_table(results: Path = RESULTS) -> str:
    """Return the tables of published results."""
    return to_markdown(json.loads(results.read_text(encoding="utf-8")))


def fill(options: argparse.Namespace) -> None:
    """Train and measure what is missing: the perceptual encoder, then seed by seed, each in a process of its own.

    Raises
    ------
    ConfigError
        When a run is there that had other settings or other recordings, or was measured by another protocol; when the
        options are no protocol.
    """
    require_counts(options, "seeds", "images", "latents", "sampling_steps")
    require_between(options, 4, math.inf, "images")
    require_not_negative(options, "latent_steps")
    options.out.mkdir(parents=True, exist_ok=True)
    check_given(options.out, _measuring(options), begun=True)
    encoder = options.out / PERCEPTUAL_ENCODER
    train_missing({encoder: settings_of(PERCEPTUAL_ENCODER, options)}, None, options)
    for number in range(options.seeds):
        names = [name for name in options.only or (*ROWS, *TRIED) if name in ROWS or not number]
        configs = {name: settings_of(name, options, number) for name in names}
        folders = {run_folder(name, config.seed, options): config for name, config in configs.items()}
        train_missing(folders, encoder, options)
        in_own_processes(measure_missing, [(names, number, options)])
    in_own_processes(measure_choices, [(options.only or (*ROWS, *TRIED), options)])


def collected(options: argparse.Namespace) -> dict[str, Any]:
    """Return all results that are there, as :func:`to_markdown` reads them.

    Raises
    ------
    ConfigError
        When the options, which the tables state, are not those of the runs and their measures.
    """
    require_given(options.out, _measuring(options))
    for name, number in itertools.product((*ROWS, *TRIED), range(options.seeds)):
        config = settings_of(name, options, number)
        if (folder := run_folder(name, config.seed, options)).is_dir():
            init_run_dir(config, folder)
    seeds = [settings_of(OURS, options, number).seed for number in range(options.seeds)]

    def read(name: str, file: str) -> Iterator[dict[str, Any]]:
        for seed in seeds:
            if (path := run_folder(name, seed, options) / file).is_file():
                yield json.loads(path.read_text(encoding="utf-8"))

    weights = {name: settings_of(name, options).decoder.perceptual_weight for name in CHOSEN_AMONG}
    return {
        "protocol": {
            "changes": options.changes and f"configs/pretraining/decoders/{options.changes.name}",
            **{name: getattr(options, name) for name in _PROTOCOL},
        },
        "results": {name: found for name in ROWS if (found := list(read(name, _RESULT)))},
        "anchors": list(read(REAL, _RESULT)),
        "tried": {
            name: {**found[0], "perceptual_weight": weights[name]}
            for name in CHOSEN_AMONG
            if (found := list(read(name, _CHOICE)))
        },
        "training_cpu_s": sum(float(row["cpu_s"]) for folder in options.out.iterdir() for row in logged(folder)),
    }


def _measuring(options: argparse.Namespace) -> dict[str, int]:
    return {name: getattr(options, name) for name in _MEASURING}


def run_folder(name: str, seed: int, options: argparse.Namespace) -> Path:
    """Return the folder of a row's run with a seed."""
    folder: Path = options.out / f"{name}-{seed}"
    return folder


def settings_of(name: str, options: argparse.Namespace, number: int = 0) -> PretrainingConfig:
    """Return the settings of the perceptual encoder or of a row with its first or a later seed, with all changes."""
    settings = read_settings(options.configs / f"{name}.toml")
    changes = read_settings(options.changes) if options.changes else {}
    of_kind = changes.get(PERCEPTUAL_ENCODER if name == PERCEPTUAL_ENCODER else "decoders", {})
    config = PretrainingConfig.from_dict(merged(settings, of_kind))
    return replace(config, seed=config.seed + number)


def sources_of(options: argparse.Namespace) -> TrainingSources:
    """Return the sound to train on and to measure with."""
    return TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )


def train_missing(runs: Mapping[Path, PretrainingConfig], encoder: Path | None, options: argparse.Namespace) -> None:
    """Pretrain those of some runs that have not ended, in a process of their own."""
    for folder, run in runs.items():
        init_run_dir(run, folder)
        require_given(folder, sources_of(options).counts())
    unfinished = {folder: run for folder, run in runs.items() if checkpoint_state(folder)["step"] < run.n_steps}
    if unfinished:
        in_own_processes(train, [(unfinished, encoder, options)])


def train(runs: Mapping[Path, PretrainingConfig], encoder: Path | None, options: argparse.Namespace) -> None:
    """Pretrain the runs of some folders to their end, with the perceptual encoder where their losses use one."""
    from pretraining.sounds import clip_sampler
    from pretraining.train import pretrain

    for number, (folder, config) in enumerate(runs.items()):
        if not number:  # they differ in their losses alone, so that all draw from the same sound
            clips = clip_sampler(config, sources_of(options))
        used = encoder if config.decoder.perceptual_weight else None
        pretrain(config, sources_of(options), folder, perceptual_encoder=used, clips=clips)


def measure_missing(names: Sequence[str], number: int, options: argparse.Namespace) -> None:
    """Measure what has no result yet of rows and of blurred real windows, all on the windows of one seed."""
    from evaluation.experiments.decoder_measures import MeasureSettings, RealWindows, anchors, measure

    ours = settings_of(OURS, options, number)
    rows = [*(name for name in names if name in ROWS), REAL]
    paths = {run_folder(name, ours.seed, options) / _RESULT: name for name in rows}
    if missing := {path: name for path, name in paths.items() if not path.is_file()}:
        windows = RealWindows(ours, sources_of(options), options.images)
        for path, name in missing.items():
            protocol = MeasureSettings(
                n_images=options.images,
                n_latents=options.latents,
                latent_steps=options.latent_steps,
                n_steps=options.sampling_steps,
                curve=CURVE if name == OURS and not number else (),
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, anchors(windows) if name == REAL else measure(path.parent, protocol, windows))


def measure_choices(names: Sequence[str], options: argparse.Namespace) -> None:
    """Measure what is chosen among, of the first seed, on windows that no other table shows."""
    from evaluation.experiments.decoder_measures import MeasureSettings, RealWindows, measure

    ours = settings_of(OURS, options)
    folders = [run_folder(name, ours.seed, options) for name in names if name in CHOSEN_AMONG]
    if missing := [folder for folder in folders if not (folder / _CHOICE).is_file()]:
        windows = RealWindows(replace(ours, seed=_CHOICE_SEED), sources_of(options), options.images)
        protocol = MeasureSettings(n_images=options.images, latent_steps=0, n_steps=options.sampling_steps)
        for folder in missing:
            write_json(folder / _CHOICE, measure(folder, protocol, windows))


if __name__ == "__main__":
    run_command(main)
