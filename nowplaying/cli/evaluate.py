"""``nowplaying evaluate``: how well the models do, as tables and JSON."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from nowplaying.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying.cli.options import DetectorModel, FingerprinterModel, Json, Seed
from nowplaying.cli.output import emit_json, note, say, table

__all__ = ["app"]

app = typer.Typer(help="Measure the models on a corpus (docs/data.md says what that is).", no_args_is_help=True)
_Corpus = Annotated[Path, typer.Option("--corpus", help="Folder with music, noise, speech, rir.", show_default=False)]
_Cache = Annotated[Path, typer.Option("--cache-dir", help="For decoded audio and features.", show_default=False)]
_Out = Annotated[Path | None, typer.Option("--out", help="Folder for the JSON and the Markdown.")]
_Metrics = Annotated[bool, typer.Option("--metrics", help="Also write the model folder's metrics.json and card.")]
_Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes.")]


class Protocol(Enum):
    """A published protocol."""

    ATTENTION_QBE = "attention-qbe"
    NAFP = "nafp"
    NOW_PLAYING = "now-playing"


@app.command()
def retrieval(
    corpus: _Corpus,
    cache_dir: _Cache,
    model: FingerprinterModel = SHIPPED_FINGERPRINTER,
    float_model: Annotated[
        Path | None, typer.Option("--float-model", help="The same encoder in float, for a paired comparison.")
    ] = None,
    hop_s: Annotated[
        float | None, typer.Option("--hop", help="Seconds between fingerprints in the database; else the model's.")
    ] = None,
    n_queries: Annotated[int, typer.Option("--queries", min=1, help="For each condition.")] = 2000,
    fit_acceptance: Annotated[
        bool, typer.Option("--fit-acceptance", help="First fit the acceptance model and enter it in the manifest.")
    ] = False,
    protocol: Annotated[
        Protocol | None, typer.Option("--protocol", help="A published protocol instead of the standard tables.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="With a grid: our matcher over exact search as well, which takes long.")
    ] = False,
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="With a grid: a fingerprinter that is asked the same.")
    ] = None,
    jobs: _Jobs = 1,
    seed: Seed = 1,
    out: _Out = None,
    metrics: _Metrics = False,
) -> None:
    """Rank-1, accepted and false accepts of noisy queries, through the whole database."""
    if protocol is not None:
        if float_model or fit_acceptance or hop_s or (metrics and protocol is Protocol.NOW_PLAYING):
            message = (
                "--protocol takes none of --float-model, --hop and --fit-acceptance, and --metrics with a grid only"
            )
            raise typer.BadParameter(message)
        _published(
            protocol,
            model,
            corpus,
            cache_dir,
            n_queries=n_queries,
            exact=exact,
            baseline=baseline,
            jobs=jobs,
            seed=seed,
            out=out,
            metrics=metrics,
        )
        return
    from nowplaying.manifest import ModelFolder
    from ondevice_db.evaluation.calibration import calibrate
    from ondevice_db.evaluation.report import to_markdown
    from ondevice_db.evaluation.retrieval import evaluate_retrieval
    from ondevice_db.evaluation.setting import build_setting

    folder = ModelFolder.open(model, role="fingerprinter").path
    if fit_acceptance:
        note("fitting the acceptance model")
        setting = build_setting(
            folder,
            corpus,
            cache_dir,
            n_queries=n_queries,
            seed=seed,
            sound_split="train",
            reference_hop_s=hop_s,
            pcm_cache=cache_dir,
            jobs=jobs,
        )
        _enter(folder, {"acceptance": calibrate(setting, jobs=jobs).to_dict()})
    result = evaluate_retrieval(
        folder,
        corpus,
        cache_dir,
        n_queries=n_queries,
        seed=seed,
        float_model=float_model,
        reference_hop_s=hop_s,
        pcm_cache=cache_dir,
        jobs=jobs,
        progress=note,
    )
    _finish("retrieval", result, to_markdown(result), folder, out=out, metrics=metrics)


@app.command()
def detector(
    corpus: _Corpus,
    cache_dir: _Cache,
    model: DetectorModel = SHIPPED_DETECTOR,
    n_clips: Annotated[int, typer.Option("--clips", min=1, help="Of music, and as many without.")] = 1000,
    n_streams: Annotated[int, typer.Option("--streams", min=1, help="Of ten minutes each.")] = 60,
    n_room_tone: Annotated[
        int, typer.Option("--room-tone", min=1, help="Of ten minutes each, recorded noise at -70 to -50 dBFS.")
    ] = 48,
    fit_gate: Annotated[
        bool, typer.Option("--fit-gate", help="Choose the gate from these streams and enter it in the manifest.")
    ] = False,
    most_false: Annotated[
        float, typer.Option("--most-false", help="With --fit-gate: false triggers an hour to choose it for.")
    ] = 1.0,
    jobs: _Jobs = 1,
    seed: Seed = 1,
    out: _Out = None,
    metrics: _Metrics = False,
) -> None:
    """ROC area on clips, and recall against false triggers on streams."""
    from detector.evaluate import evaluate_detector, to_markdown
    from detector.report import plot
    from nowplaying.manifest import ModelFolder

    folder = ModelFolder.open(model, role="detector").path
    result = evaluate_detector(
        folder,
        corpus=corpus,
        cache_dir=cache_dir,
        n_clips=n_clips,
        n_streams=n_streams,
        n_room_tone=n_room_tone,
        fit_most_false_per_hour=most_false if fit_gate else None,
        seed=seed,
        jobs=jobs,
        report=note,
    )
    if fit_gate:
        _enter(folder, {"gate": result["streams"]["gates"][0]})
    _finish("detector", result, to_markdown(result), folder, out=out, metrics=metrics)
    if out is not None:
        plot(result, out / "detector.png")


@app.command()
def detector_cost(model: DetectorModel = SHIPPED_DETECTOR, json_output: Json = False) -> None:
    """Measure what the detector costs a device: bytes, parameters, states, arena, multiply-accumulates."""
    from detector.stream import MODEL_FILE
    from export.cost import detector_cost as measure
    from nowplaying.manifest import ModelFolder

    folder = ModelFolder.open(model, role="detector")
    cost = measure(folder.file(MODEL_FILE))
    if json_output:
        emit_json("detector-cost/1", {"model": folder.manifest["name"], **cost})
        return
    table([folder.manifest["name"], ""], [[name.replace("_", " "), f"{value}"] for name, value in cost.items()])


@app.command()
def probe(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of 'nowplaying pretrain'.")],
    cache_dir: _Cache,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Folder with music, noise and speech, and labels of them.")
    ] = None,
    public: Annotated[
        list[str] | None, typer.Option("--public", help="A public collection, as NAME=FOLDER.", show_default=False)
    ] = None,
    scores: Annotated[Path | None, typer.Option("--scores", help="Folder of MIDI files, for tasks of them.")] = None,
    soundfonts: Annotated[
        list[Path] | None,
        typer.Option(
            "--soundfont", help="To render them; the last of several is for what is asked.", show_default=False
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None, typer.Option("--task", help="Only this task; else all that there is data for.")
    ] = None,
    label_shares: Annotated[
        str, typer.Option("--label-shares", help="Of the training labels that are known, with commas between.")
    ] = "0.01,0.1,1",
    n_seeds: Annotated[int, typer.Option("--seeds", min=1, help="Draws of the known labels.")] = 3,
    most_windows: Annotated[int, typer.Option("--windows", min=1, help="Of one sound, at most.")] = 8,
    fine_tune_steps: Annotated[
        int, typer.Option("--fine-tune", min=0, help="Also let the ears go on learning, so many steps: 200 or more.")
    ] = 0,
    jobs: _Jobs = 1,
    out: _Out = None,
) -> None:
    """Accuracy of a linear classifier over pretrained ears on labelled tasks, with intervals."""
    from nowplaying.cli.train import require_tensorflow
    from nowplaying.errors import ConfigError
    from pretraining.tasks.registry import open_tasks
    from pretraining.tasks.scores import ScoreTasks

    rendered = None if scores is None else ScoreTasks(scores, soundfonts or [], cache_dir, jobs=jobs)
    chosen = open_tasks(corpus=corpus, public=public or [], names=tasks or [], report=note, scores=rendered)
    try:
        shares = tuple(float(share) for share in label_shares.split(","))
    except ValueError as error:
        message = f"--label-shares: expected numbers with commas between, found {label_shares!r}"
        raise ConfigError(message) from error
    require_tensorflow()
    from pretraining.probe.report import to_markdown
    from pretraining.probe.run import ProbeSettings
    from pretraining.probe.run import probe as measure

    settings = ProbeSettings(
        label_shares=shares, n_seeds=n_seeds, most_windows=most_windows, fine_tune_steps=fine_tune_steps
    )
    result = measure(runs, chosen, settings, cache_dir=cache_dir, report=note)
    _write("probe", result, to_markdown(result), out)


@app.command()
def codes(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs of a method with codes.")],
    corpus: _Corpus,
    cache_dir: _Cache,
    out: _Out = None,
) -> None:
    """Perplexity of the next code on music that was not heard, beside unigram and bigram models, with intervals."""
    from nowplaying.cli.train import require_tensorflow

    require_tensorflow()
    from pretraining.codes.perplexity import evaluate_perplexity, perplexity_markdown

    result = evaluate_perplexity(runs, corpus, cache_dir=cache_dir, report=note)
    _write("codes", result, perplexity_markdown(result), out)


def _published(
    protocol: Protocol,
    model: str,
    corpus: Path,
    cache_dir: Path,
    *,
    n_queries: int,
    exact: bool,
    baseline: str | None,
    jobs: int,
    seed: int,
    out: Path | None,
    metrics: bool,
) -> None:
    from nowplaying.manifest import ModelFolder
    from ondevice_db.evaluation import grid_report
    from ondevice_db.evaluation.grid import evaluate_grid
    from ondevice_db.evaluation.open_set import evaluate_open_set

    common: dict[str, Any] = {
        "n_queries": n_queries,
        "seed": seed,
        "pcm_cache": cache_dir,
        "jobs": jobs,
        "progress": note,
    }
    if protocol is Protocol.NOW_PLAYING:
        result = evaluate_open_set(model, corpus, cache_dir, **common)
        text, plot = grid_report.open_set_to_markdown(result), grid_report.plot_open_set
    else:
        result = evaluate_grid(protocol.value, model, corpus, cache_dir, exact=exact, baseline=baseline, **common)
        text, plot = grid_report.grid_to_markdown(result), grid_report.plot_grid
    _finish(protocol.value, result, text, ModelFolder.open(model, role="fingerprinter").path, out=out, metrics=metrics)
    if out is not None:
        plot(result, out / f"{protocol.value}.png")


def _enter(folder: Path, values: dict[str, Any]) -> None:
    from nowplaying.artifacts import MODEL_SCHEMA_VERSION, read_manifest, write_json

    path = folder / "manifest.json"
    write_json(path, {**read_manifest(path, kind="model", schema_version=MODEL_SCHEMA_VERSION), **values})


def _finish(name: str, result: dict[str, Any], text: str, folder: Path, *, out: Path | None, metrics: bool) -> None:
    _write(name, result, text, out)
    if metrics:
        from export.card import METRICS_NAME, write_card
        from nowplaying.artifacts import write_json

        write_json(folder / METRICS_NAME, result)
        note(f"wrote {write_card(folder)}")


def _write(name: str, result: dict[str, Any], text: str, out: Path | None) -> None:
    from nowplaying.artifacts import write_json

    say(text)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / f"{name}.json", result)
        (out / f"{name}.md").write_text(text, encoding="utf-8")
