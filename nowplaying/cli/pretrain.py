"""``nowplaying pretrain``: learn a small encoder of sound, without labels unless the method is the supervised one."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import DecodedCache, ExtraData, RenderedMidi, RunDir, SoundCorpus
from nowplaying.cli.output import note, say
from nowplaying.cli.train import require_tensorflow

__all__ = ["pretrain"]


def pretrain(
    method: Annotated[str, typer.Argument(help="How to learn; docs/pretraining/README.md describes the methods.")],
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings in TOML, of the same method; else the defaults.")
    ] = None,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    listener: Annotated[
        Path | None,
        typer.Option("--listener", help="Finished run whose encoder judges what is rebuilt (perceptual error)."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another seed than the settings'.")] = None,
) -> None:
    """Pretrain a small encoder without labels (needs the train extra); stopped, the same command goes on."""
    from dataclasses import replace

    from nowplaying_core.errors import ConfigError
    from pretraining.config import PretrainingConfig

    settings = PretrainingConfig(method=method) if config is None else PretrainingConfig.read(config)
    if settings.method != method:
        message = f"{config}: expected settings of {method!r}, found those of {settings.method!r}"
        raise ConfigError(message)
    settings = settings if seed is None else replace(settings, seed=seed)
    require_tensorflow()
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.train import pretrain as run

    sources = TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data)
    say(str(run(settings, sources, run_dir, listener=listener, report=note)))
