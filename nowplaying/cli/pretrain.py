"""``nowplaying pretrain``: train an audio encoder without labels, or with them by the supervised method."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import DecodedCache, ExtraData, Json, RenderedMidi, RunDir, SoundCorpus, refuse_unused
from nowplaying.cli.output import wrote
from nowplaying.cli.train import require_tensorflow

__all__ = ["pretrain"]


def pretrain(
    context: typer.Context,
    method: Annotated[
        str,
        typer.Argument(
            help="audio2vec_cbow, audio2vec_skipgram, temporal_gap, autoencoder, diffusion_autoencoder, triplet, "
            "nt_xent, cola, supervised, kmeans_codes, vq_codes, binary_codes or random (docs/pretraining/README.md).",
            autocompletion=complete.methods,
        ),
    ],
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings of the same method in TOML. Default: the method's defaults."),
    ] = None,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    perceptual_encoder: Annotated[
        Path | None,
        typer.Option("--perceptual-encoder", help="Finished run whose encoder computes the perceptual error."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Seed to use instead of the one in the settings.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pretrain an audio encoder without labels; a stopped run resumes (needs the train extra)."""
    if method in {"random", "supervised"}:
        why = f"{method} learns from {'nothing' if method == 'random' else 'the labels of the corpus alone'}"
        refuse_unused(context, why, "rendered_midi", "extra_data")
    from dataclasses import replace

    from nowplaying_core.errors import ConfigError
    from pretraining.config.run import PretrainingConfig

    settings = PretrainingConfig(method=method) if config is None else PretrainingConfig.read(config)
    if settings.method != method:
        message = f"{config}: expected settings of {method!r}, found those of {settings.method!r}"
        raise ConfigError(message)
    settings = settings if seed is None else replace(settings, seed=seed)
    require_tensorflow()
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.train import pretrain as run

    sources = TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data)
    weights = run(settings, sources, run_dir, perceptual_encoder=perceptual_encoder)
    wrote(weights, as_json=as_json)
