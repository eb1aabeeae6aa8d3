"""Train and measure decoders of equal latents with equal budgets: python -m evaluation.experiments.decoders --help.

First the perceptual encoder, then each decoder of ``configs/pretraining/decoders``. Finished runs are kept, and a
stopped run resumes.
"""

import argparse
import json
import multiprocessing
from pathlib import Path
from typing import Any, Final

from nowplaying_core.artifacts import write_json
from nowplaying_core.settings import merged, read_settings

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
    parser.add_argument("--table", type=Path, help="Markdown file to write, such as docs/pretraining/decoders.md")
    options = parser.parse_args()
    rows = options.only or ROWS
    for name in (PERCEPTUAL_ENCODER, *rows, REAL):
        done = options.out / name / ("encoder.weights.h5" if name == PERCEPTUAL_ENCODER else "result.json")
        if not done.is_file():
            # A process each: TensorFlow gives its memory back only when it ends.
            child = multiprocessing.get_context("spawn").Process(target=run, args=(name, options))
            child.start()
            child.join()
            if child.exitcode:
                raise SystemExit(child.exitcode)
    results = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name in ROWS
        if (path := options.out / name / "result.json").is_file()
    }
    from evaluation.experiments.decoder_report import to_markdown

    anchors = json.loads((options.out / REAL / "result.json").read_text(encoding="utf-8"))
    text = to_markdown(results, anchors)
    print(text)
    if options.table:
        options.table.write_text(text, encoding="utf-8")


def run(name: str, options: argparse.Namespace) -> None:
    """Train the perceptual encoder or one row; measure a row, or real sound, and write what came out."""
    from evaluation.experiments.decoder_measures import MeasureSettings, anchors, measure
    from fingerprinter.training.progress import checkpoint_state
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.config.run import PretrainingConfig
    from pretraining.train import pretrain

    settings: dict[str, Any] = read_settings(options.configs / f"{OURS if name == REAL else name}.toml")
    if options.changes:
        settings = merged(
            settings,
            read_settings(options.changes).get(PERCEPTUAL_ENCODER if name == PERCEPTUAL_ENCODER else "decoders", {}),
        )
    config = PretrainingConfig.from_dict(settings)
    sources = TrainingSources(
        corpus=options.corpus,
        cache_dir=options.cache_dir,
        rendered_midi=options.rendered_midi,
        extra_data=options.extra_data,
    )
    folder, perceptual_encoder = options.out / name, options.out / PERCEPTUAL_ENCODER
    if name == REAL:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "result.json", anchors(config, sources, options.images))
        return
    if checkpoint_state(folder)["step"] < config.n_steps:
        heard = perceptual_encoder if name != PERCEPTUAL_ENCODER and config.decoder.perceptual_weight else None
        pretrain(config, sources, folder, perceptual_encoder=heard)
    if name == PERCEPTUAL_ENCODER:
        return
    protocol = MeasureSettings(
        n_images=options.images,
        n_latents=options.latents,
        latent_steps=options.latent_steps,
        n_steps=options.sampling_steps,
        curve=CURVE if name == OURS else (),
    )
    write_json(folder / "result.json", measure(folder, sources, protocol))


if __name__ == "__main__":
    main()
