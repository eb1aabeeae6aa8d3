"""``nowplaying publish``: turn a finished training run into a model folder."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nowplaying.cli.app import App
from nowplaying.cli.options import (
    ON_CORPUS,
    DecodedCache,
    ExtraData,
    Json,
    RenderedMidi,
    SoundCorpus,
    refuse_unused,
    writable_folder,
)
from nowplaying.cli.output import wrote
from nowplaying.cli.train import require_tensorflow
from nowplaying_core.artifacts import SHIPPED_AUDIO_ENCODER, SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError
from ondevice_db.format.layouts import CodeKind

__all__ = ["app"]

app = App(help="Turn a finished training run into a model folder.", no_args_is_help=True)


_Run = Annotated[Path, typer.Option("--run-dir", help="Finished run.", show_default=False)]
_Model = Annotated[
    Path, typer.Option("--out", help="Model folder to write.", show_default=False, callback=writable_folder)
]
_Codes = Annotated[
    CodeKind,
    typer.Option("--codes", help="What a code's byte names: a part of a vector, or a whole one to be added up."),
]
_CodeBytes = Annotated[
    int | None,
    typer.Option("--code-bytes", min=1, help="Of the default code; those of parts must divide the dimensions."),
]
_OneSize = Annotated[bool, typer.Option("--one-code-size", help="Leave out codes of 6, 8, 12, 16 and 24 bytes.")]
_Version = Annotated[str, typer.Option("--version-tag", metavar="X.Y.Z", help="Semantic version of the artifact.")]


def fingerprinter(
    run_dir: _Run,
    out: _Model,
    corpus: SoundCorpus,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    name: Annotated[str, typer.Option("--name", help="Name in the manifest.")] = SHIPPED_FINGERPRINTER,
    version: _Version = "1.0.0",
    precision: Annotated[
        Literal["int8", "float32"], typer.Option("--precision", help="Of the encoder; float32 is for comparison.")
    ] = "int8",
    codes: _Codes = "product",
    code_bytes: _CodeBytes = None,
    one_code_size: _OneSize = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
    as_json: Json = False,
) -> None:
    """Convert the encoder and its front end to TFLite and train the codebook that ships with them."""
    require_tensorflow()
    from export.publish_fingerprinter import publish_fingerprinter
    from nowplaying_core.audio.sources import TrainingSources

    folder = publish_fingerprinter(
        run_dir,
        out,
        TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data),
        name=name,
        version=version,
        precision=precision,
        codes=codes,
        code_bytes=code_bytes,
        all_code_sizes=not one_code_size,
        jobs=jobs,
    )
    wrote(folder, as_json=as_json)


def codebooks(
    model: Annotated[Path, typer.Argument(help="Model folder that ships a default codebook.")],
    corpus: SoundCorpus,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    codes: Annotated[
        CodeKind | None,
        typer.Option(
            "--codes",
            help="Another kind than the default codebook's: that one is trained anew too, databases that exist keep "
            "theirs, and acceptance has to be fitted again (evaluate retrieval --fit-acceptance).",
        ),
    ] = None,
    code_bytes: _CodeBytes = None,
    one_code_size: _OneSize = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the quantizers of the other code sizes (6, 8, 16 and 24 bytes) for the model's cells."""
    from export.publish_fingerprinter import replace_codes
    from nowplaying_core.audio.sources import TrainingSources

    sources = TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data)
    replace_codes(model, sources, codes, code_bytes, all_code_sizes=not one_code_size, jobs=jobs)
    wrote(model, as_json=as_json)


def detector(
    context: typer.Context,
    run_dir: Annotated[
        Path,
        typer.Option(
            "--run-dir", help="Finished run, or a model folder whose first stage is kept.", show_default=False
        ),
    ],
    out: _Model,
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", help="Folder with music, noise, speech and rir that was trained on; of a run only."),
    ] = None,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    name: Annotated[str, typer.Option("--name", help="Name in the manifest.")] = SHIPPED_DETECTOR,
    version: _Version = "1.0.0",
    gate: Annotated[
        Path | None,
        typer.Option(
            "--gate",
            help="cross-validation.json of train detector-crossval, or TOML with a table gate and, for two stages, "
            "wanted_above.",
        ),
    ] = None,
    second_run: Annotated[
        Path | None,
        typer.Option(
            "--second-run",
            help="Run of train detector-second-stage, or a model folder whose second stage is kept; else one stage.",
        ),
    ] = None,
    second_note: Annotated[
        str,
        typer.Option("--second-note", help="What the card says of the second stage's training beside its settings."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Convert the detector to int8 TFLite; without --gate, one that the folder's manifest already holds is kept."""
    require_tensorflow()
    from detector.chosen_gate import read_chosen_gate
    from detector.training.config import DetectorConfig
    from detector.training.folds import HeldOut
    from export.detector import export_detector
    from export.provenance import describe_training
    from nowplaying_core.audio.sources import TrainingSources

    if second_run is None:
        refuse_unused(context, "it goes with --second-run", "second_note")
    if (run_dir / "manifest.json").is_file():
        unused = ("corpus", "rendered_midi", "extra_data")
        refuse_unused(context, f"{run_dir} is a model, whose manifest says what it was trained on", *unused)
    elif corpus is None:
        message = "expected the corpus of the run's training, found none"
        raise typer.BadParameter(message, param_hint="--corpus")
    chosen = None if gate is None else read_chosen_gate(gate)
    if chosen is not None and chosen.wanted_above is not None and second_run is None:
        message = (
            f"{gate}: chosen for a detector of two stages (wanted_above = {chosen.wanted_above}), found one stage, "
            f"that of {run_dir}; name the second with --second-run, or choose a gate for one"
        )
        raise ConfigError(message)
    training = None
    if corpus is not None:
        # Nothing is decoded, so no cache is needed.
        sources = TrainingSources(corpus=corpus, cache_dir=run_dir, rendered_midi=rendered_midi, extra_data=extra_data)
        config = run_dir / "config.json"
        held_out = HeldOut.of(DetectorConfig.from_json(config).training) if config.is_file() else None
        training = describe_training(run_dir, sources, learned=list if held_out is None else held_out.learned)
    folder = export_detector(
        run_dir,
        out,
        name=name,
        version=version,
        gate=None if chosen is None else chosen.gate,
        training=training,
        second_run=second_run,
        wanted_above=None if chosen is None else chosen.wanted_above,
        second_note=second_note,
    )
    wrote(folder, as_json=as_json)


def encoder(
    context: typer.Context,
    run_dir: _Run,
    out: _Model,
    corpus: SoundCorpus,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    baselines: Annotated[
        list[Path] | None,
        typer.Option("--baseline", help="Another run for the card's table, such as random's."),
    ] = None,
    midi: Annotated[Path | None, typer.Option("--midi", help="As in evaluate probe.")] = None,
    soundfonts: Annotated[list[Path] | None, typer.Option("--soundfont", help="As in evaluate probe.")] = None,
    tasks: Annotated[list[str] | None, typer.Option("--task", help="As in evaluate probe.")] = None,
    name: Annotated[str, typer.Option("--name", help="Name in the manifest.")] = SHIPPED_AUDIO_ENCODER,
    version: _Version = "1.0.0",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
    as_json: Json = False,
) -> None:
    """Convert a pretrained encoder to int8 TFLite, probe it and its float form, and write its card."""
    if midi is None:
        refuse_unused(context, "it goes with --midi", "soundfonts")
    require_tensorflow()
    from evaluation.model_card import METRICS_NAME, write_card
    from export.audio_encoder import publish_audio_encoder
    from nowplaying_core.artifacts import write_json
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.probe.run import ProbeSettings, open_encoders, probe
    from pretraining.tasks.midi import MidiTasks
    from pretraining.tasks.registry import open_tasks

    sources = TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data)
    learned = sources.rendered_files()
    rendered = None if midi is None else MidiTasks(midi, soundfonts or [], cache_dir, jobs=jobs, learned=learned)
    chosen = open_tasks(corpus=corpus, public=[], names=tasks or [], rendered=rendered)
    open_encoders([run_dir, *(baselines or [])])  # what cannot be probed is refused before a model is written
    folder = publish_audio_encoder(run_dir, out, sources, name=name, version=version)
    result = probe([folder, run_dir, *(baselines or [])], chosen, ProbeSettings(), cache_dir=cache_dir)
    write_json(folder / METRICS_NAME, result)
    write_card(folder)
    wrote(folder, as_json=as_json)


app.add(
    fingerprinter,
    example=f"nowplaying publish fingerprinter --run-dir runs/fp --out models/mine {ON_CORPUS}",
)
app.add(codebooks, example=f"nowplaying publish codebooks models/mine {ON_CORPUS}")
app.add(detector, example="nowplaying publish detector --run-dir runs/det --out models/mine --corpus CORPUS")
app.add(
    encoder,
    example=f"nowplaying publish encoder --run-dir runs/a2v --out models/mine {ON_CORPUS}",
)
