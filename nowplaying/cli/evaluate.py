"""``nowplaying evaluate``: how well the models do, as tables and JSON."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nowplaying.cli import complete, evaluate_encoders
from nowplaying.cli.app import App
from nowplaying.cli.measured import Cache, Corpus, Out, enter, finish, write_result
from nowplaying.cli.options import (
    ON_CORPUS,
    DetectorModel,
    FingerprinterModel,
    Jobs,
    Json,
    MaxFalse,
    Seed,
    refuse_unused,
)
from nowplaying.cli.output import emit_json, note, table
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

__all__ = ["app"]

Protocol = Literal["attention-qbe", "nafp", "now-playing"]
app = App(help="Measure the models on a corpus (docs/data.md says what that is).", no_args_is_help=True)
_Metrics = Annotated[bool, typer.Option("--metrics", help="Also write the model folder's metrics.json and card.")]


def retrieval(
    context: typer.Context,
    corpus: Corpus,
    cache_dir: Cache,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
    float_model: Annotated[
        Path | None, typer.Option("--float-model", help="The same encoder in float, for a paired comparison.")
    ] = None,
    hop_s: Annotated[
        float | None,
        typer.Option("--hop", min=0.01, help="Seconds between fingerprints in the database; else the model's."),
    ] = None,
    n_queries: Annotated[int, typer.Option("--queries", min=1, help="For each condition.")] = 2000,
    n_unknown: Annotated[int, typer.Option("--unknown", min=1, help="Queries from unknown music.")] = 900,
    n_sounds: Annotated[int, typer.Option("--sounds", min=1, help="Queries from each of speech and noise.")] = 500,
    fit_acceptance: Annotated[
        bool,
        typer.Option("--fit-acceptance", help="Enter the acceptance model, fitted to all tracks, in the manifest."),
    ] = False,
    protocol: Annotated[
        Protocol | None, typer.Option("--protocol", help="A published protocol instead of the standard tables.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="With a grid: our matcher over exact search as well, which takes long.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="MODEL",
            help="With a grid: a fingerprinter that gets the same queries.",
            autocompletion=complete.fingerprinters,
        ),
    ] = None,
    jobs: Jobs = 1,
    seed: Seed = 1,
    out: Out = None,
    metrics: _Metrics = False,
    as_json: Json = False,
) -> None:
    """Rank-1, accepted and false accepts of noisy queries, through the whole database."""
    if protocol is not None:
        unused = ["float_model", "hop_s", "fit_acceptance", "n_sounds"]
        unused += ["exact", "baseline", "metrics"] if protocol == "now-playing" else ["n_unknown"]
        refuse_unused(context, f"--protocol {protocol} takes none", *unused)
        _published(
            protocol,
            model,
            corpus,
            cache_dir,
            n_queries=n_queries,
            n_unknown=n_unknown,
            exact=exact,
            baseline=baseline,
            jobs=jobs,
            seed=seed,
            out=out,
            metrics=metrics,
            as_json=as_json,
        )
        return
    refuse_unused(context, "it goes with --protocol attention-qbe or nafp", "exact", "baseline")
    from evaluation.retrieval.report import to_markdown
    from evaluation.retrieval.retrieval import evaluate_retrieval
    from nowplaying_core.manifest import ModelFolder

    folder = ModelFolder.open(model, role="fingerprinter").path
    result, calibration = evaluate_retrieval(
        folder,
        corpus,
        cache_dir,
        n_queries=n_queries,
        n_unknown=n_unknown,
        n_sounds=n_sounds,
        seed=seed,
        float_model=float_model,
        reference_hop_s=hop_s,
        jobs=jobs,
    )
    if fit_acceptance:
        enter(folder, {"acceptance": calibration.to_dict()})
    finish("retrieval", result, to_markdown(result), folder, out=out, metrics=metrics, as_json=as_json)


def detector(
    context: typer.Context,
    corpus: Corpus,
    cache_dir: Cache,
    model: DetectorModel = SHIPPED_DETECTOR,
    n_clips: Annotated[int, typer.Option("--clips", min=1, help="Clips with music, and as many without.")] = 1000,
    n_streams: Annotated[int, typer.Option("--streams", min=1, help="Streams of ten minutes.")] = 60,
    n_room_tone: Annotated[
        int, typer.Option("--room-tone", min=1, help="Streams of ten minutes of recorded noise at -70 to -50 dBFS.")
    ] = 48,
    fit_gate: Annotated[
        bool, typer.Option("--fit-gate", help="Choose the gate from these streams and enter it in the manifest.")
    ] = False,
    max_false: MaxFalse = 1.0,
    leave_out: Annotated[
        Path | None,
        typer.Option(
            "--leave-out", help="Table of recordings to leave out for their doubtful labels (docs/training.md)."
        ),
    ] = None,
    jobs: Jobs = 1,
    seed: Seed = 1,
    out: Out = None,
    metrics: _Metrics = False,
    as_json: Json = False,
) -> None:
    """ROC area on clips, and recall against false wake-ups on streams."""
    if not fit_gate:
        refuse_unused(context, "it is of the gate that --fit-gate chooses", "max_false")
    from evaluation.detector.evaluate import evaluate_detector
    from evaluation.detector.report import plot, to_markdown
    from nowplaying_core.manifest import ModelFolder

    folder = ModelFolder.open(model, role="detector").path
    result = evaluate_detector(
        folder,
        corpus=corpus,
        cache_dir=cache_dir,
        n_clips=n_clips,
        n_streams=n_streams,
        n_room_tone=n_room_tone,
        max_false_per_hour=max_false if fit_gate else None,
        seed=seed,
        jobs=jobs,
        leave_out=leave_out,
    )
    if fit_gate:
        enter(folder, {"gate": result["streams"]["gates"][0]})
        if not metrics:
            note(f"{folder}: its metrics and card are not of this gate; --metrics writes them anew")
    finish("detector", result, to_markdown(result), folder, out=out, metrics=metrics, as_json=as_json)
    if out is not None:
        plot(result, out / "detector.png")


def detector_gate(
    context: typer.Context,
    corpus: Corpus,
    cache_dir: Cache,
    model: DetectorModel = SHIPPED_DETECTOR,
    max_false: MaxFalse = 1.0,
    max_median_delay: Annotated[
        float, typer.Option("--max-median-delay", help="Largest median delay of the gate to choose, in seconds.")
    ] = 4.5,
    held_out_fold: Annotated[
        int | None,
        typer.Option(
            "--held-out-fold",
            help="Fold of the sources of train that no stage has learned from; else what the manifests record.",
        ),
    ] = None,
    held_out_of: Annotated[int, typer.Option("--held-out-of", help="Number of such folds.")] = 8,
    first_stage: Annotated[
        str | None,
        typer.Option(
            "--first-stage",
            help="Detector trained without that fold, whose first stage runs on it instead of the model's own.",
        ),
    ] = None,
    wanted_above: Annotated[
        list[int] | None,
        typer.Option(
            "--wanted-above",
            min=0,
            max=256,
            help="The first stage's output in 256ths from which on the second is run, to be compared; repeatable.",
        ),
    ] = None,
    n_train: Annotated[int, typer.Option("--train-streams", min=1, help="Streams of ten minutes of that fold.")] = 60,
    n_dev: Annotated[int, typer.Option("--dev-streams", min=1, help="Streams of ten minutes of dev.")] = 60,
    jobs: Jobs = 1,
    seed: Seed = 1,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Choose the gate: the most music found within limits on false wake-ups and delay."""
    if held_out_fold is None:
        refuse_unused(context, "it goes with --held-out-fold", "held_out_of")
    from detector.training.folds import HeldOut
    from evaluation.detector.gate_choice import WANTED_ABOVE, GateLimits, choose
    from evaluation.detector.gate_report import plot, to_markdown, to_toml
    from evaluation.detector.gate_streams import Detectors, run_gate_streams
    from nowplaying_core.artifacts import write_text
    from nowplaying_core.audio.sources import TrainingSources
    from nowplaying_core.manifest import ModelFolder

    limits = GateLimits(max_false_per_hour=max_false, max_median_delay_s=max_median_delay)
    stated = None if held_out_fold is None else HeldOut(fold=held_out_fold, n_folds=held_out_of)
    folder = ModelFolder.open(model, role="detector")
    other = folder if first_stage is None else ModelFolder.open(first_stage, role="detector")
    detectors, wanted = Detectors(model=folder, first_stage=other), tuple(wanted_above or WANTED_ABOVE)
    streams = run_gate_streams(
        detectors,
        TrainingSources(corpus=corpus, cache_dir=cache_dir),
        n_train=n_train,
        n_dev=n_dev,
        wanted_above=wanted,
        stated=stated,
        seed=seed,
        jobs=jobs,
    )
    result = choose(streams, detectors, limits, wanted_above=wanted, seed=seed, jobs=jobs)
    write_result("detector-gate", result, to_markdown(result), out, as_json=as_json)
    if out is not None:
        write_text(out / "detector-gate.toml", to_toml(result))
        plot(result, out / "detector-gate.png")


def detector_cost(model: DetectorModel = SHIPPED_DETECTOR, as_json: Json = False) -> None:
    """Measure the detector's cost on a device: bytes, parameters, states, arena, multiply-accumulates."""
    from detector.second_stage import SECOND_STAGE_FILE
    from detector.stream import MODEL_FILE
    from export.cost import detector_cost as measure
    from export.cost import second_stage_cost
    from nowplaying_core.manifest import ModelFolder

    folder = ModelFolder.open(model, role="detector")
    cost = measure(folder.file(MODEL_FILE))
    if "cascade" in folder.manifest:
        second = second_stage_cost(folder.file(SECOND_STAGE_FILE))
        cost |= {f"second_stage_{name}": value for name, value in second.items()}
    if as_json:
        emit_json("detector-cost/1", {"model": folder.manifest["name"], **cost})
        return
    table([folder.manifest["name"], ""], [[name.replace("_", " "), f"{value}"] for name, value in cost.items()])


def _published(
    protocol: Protocol,
    model: str,
    corpus: Path,
    cache_dir: Path,
    *,
    n_queries: int,
    n_unknown: int,
    exact: bool,
    baseline: str | None,
    jobs: int,
    seed: int,
    out: Path | None,
    metrics: bool,
    as_json: bool,
) -> None:
    from evaluation.retrieval import grid_report
    from evaluation.retrieval.grid import evaluate_grid
    from evaluation.retrieval.open_set import evaluate_open_set
    from nowplaying_core.manifest import ModelFolder

    common: dict[str, Any] = {"n_queries": n_queries, "seed": seed, "jobs": jobs}
    if protocol == "now-playing":
        result = evaluate_open_set(model, corpus, cache_dir, n_unknown=n_unknown, **common)
        text, plot = grid_report.open_set_to_markdown(result), grid_report.plot_open_set
    else:
        result = evaluate_grid(protocol, model, corpus, cache_dir, exact=exact, baseline=baseline, **common)
        text, plot = grid_report.grid_to_markdown(result), grid_report.plot_grid
    folder = ModelFolder.open(model, role="fingerprinter").path
    finish(protocol, result, text, folder, out=out, metrics=metrics, as_json=as_json)
    if out is not None:
        plot(result, out / f"{protocol}.png")


app.add(retrieval, example=f"nowplaying evaluate retrieval {ON_CORPUS}")
app.add(detector, example=f"nowplaying evaluate detector {ON_CORPUS}")
app.add(
    detector_gate,
    example=f"nowplaying evaluate detector-gate --held-out-fold 3 --first-stage runs/first --out report {ON_CORPUS}",
)
app.add(detector_cost, example="nowplaying evaluate detector-cost")
app.add(evaluate_encoders.probe, example=f"nowplaying evaluate probe runs/a2v {ON_CORPUS}")
app.add(evaluate_encoders.codes, example=f"nowplaying evaluate codes runs/codes {ON_CORPUS}")
