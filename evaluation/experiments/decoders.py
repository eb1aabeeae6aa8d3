"""Train and measure decoders of equal latents with equal budgets: python -m evaluation.experiments.decoders --help.

First the perceptual encoder, then each decoder of ``configs/pretraining/decoders``. Finished runs are kept, and a
stopped run resumes.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evaluation.experiments.decoder_report import to_markdown
from evaluation.experiments.lab import in_own_processes
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.settings import merged, read_settings
from pretraining.config.run import PretrainingConfig

ROWS: Final = (
    "diffusion",
    "diffusion_mse",
    "diffusion_mse_perceptual",
    "diffusion_mse_perceptual_1",
    "mse",
    "mse_perceptual",
    "gan",
)
OURS: Final = "diffusion_mse_perceptual"
RESULTS: Final = Path(__file__).with_name("decoders.json")
PERCEPTUAL_ENCODER: Final = "perceptual_encoder"
REAL: Final = "real"
CURVE: Final = (1, 2, 4, 8, 16, 32)


def main() -> None:
    """Run what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", type=Path, default=Path(__file__).parents[2] / "configs/pretraining/decoders")
    parser.add_argument(
        "--changes", type=Path, help="TOML of settings for all rows, such as gpu.toml among the configs"
    )
    parser.add_argument("--only", action="append", choices=ROWS, help="name of a row; all by default")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache-dir", type=Path, required=True)
    parser.add_argument("--rendered-midi", type=Path)
    parser.add_argument("--extra-data", type=Path)
    parser.add_argument("--images", type=int, default=5120, help="rebuilt in each row")
    parser.add_argument("--latents", type=int, default=20_480, help="that each latent model learns from")
    parser.add_argument("--latent-steps", type=int, default=4000)
    parser.add_argument("--sampling-steps", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument(
        "--publish", action="store_true", help="write decoders.json, which docs/pretraining/decoders.md is made from"
    )
    options = parser.parse_args()
    rows = options.only or ROWS
    encoder = options.out / PERCEPTUAL_ENCODER
    in_own_processes(train, [(encoder, settings_of(PERCEPTUAL_ENCODER, options), None, options)])
    for name in rows:  # one after the other: each uses all cores
        in_own_processes(train, [(options.out / name, settings_of(name, options), encoder, options)])
    in_own_processes(measure_missing, [(rows, options)])
    results = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name in ROWS
        if (path := options.out / name / "result.json").is_file()
    }
    anchors = json.loads((options.out / REAL / "result.json").read_text(encoding="utf-8"))
    print(to_markdown(results, anchors))
    if options.publish:
        write_json(RESULTS, {"results": results, "anchors": anchors})


def committed_table() -> str:
    """Return the tables of the published results."""
    return to_markdown(**json.loads(RESULTS.read_text(encoding="utf-8")))


def settings_of(name: str, options: argparse.Namespace) -> PretrainingConfig:
    """Return the settings of the perceptual encoder or of a row, with the changes for all rows."""
    settings = read_settings(options.configs / f"{name}.toml")
    changes = read_settings(options.changes) if options.changes else {}
    of_kind = changes.get(PERCEPTUAL_ENCODER if name == PERCEPTUAL_ENCODER else "decoders", {})
    return PretrainingConfig.from_dict(merged(settings, of_kind))


def sources_of(options: argparse.Namespace) -> TrainingSources:
    """Return the sound to train on and to measure with."""
    return TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )


def train(folder: Path, config: PretrainingConfig, encoder: Path | None, options: argparse.Namespace) -> None:
    """Pretrain one run to its end, with the perceptual encoder if its losses use one."""
    from fingerprinter.training.progress import checkpoint_state
    from pretraining.train import pretrain

    if checkpoint_state(folder)["step"] < config.n_steps:
        used = encoder if config.decoder.perceptual_weight else None
        pretrain(config, sources_of(options), folder, perceptual_encoder=used)


def measure_missing(rows: Sequence[str], options: argparse.Namespace) -> None:
    """Measure the rows and the blurred real windows that have no result yet; all share the same real windows."""
    from evaluation.experiments.decoder_measures import MeasureSettings, RealWindows, anchors, measure

    missing = [name for name in (*rows, REAL) if not (options.out / name / "result.json").is_file()]
    if not missing:
        return
    sources = sources_of(options)
    windows = RealWindows(settings_of(OURS, options), sources, options.images)
    for name in missing:
        (options.out / name).mkdir(parents=True, exist_ok=True)
        protocol = MeasureSettings(
            n_images=options.images,
            n_latents=options.latents,
            latent_steps=options.latent_steps,
            n_steps=options.sampling_steps,
            curve=CURVE if name == OURS else (),
        )
        found = anchors(windows) if name == REAL else measure(options.out / name, sources, protocol, windows)
        write_json(options.out / name / "result.json", found)


if __name__ == "__main__":
    main()
