"""``nowplaying index``: fingerprint music into a song database."""

import os
from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import Database, FingerprinterModel, Json, expand_sources
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import emit_json, note, progress_bar, say
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER

__all__ = ["index"]


def index(
    music: Annotated[list[Path], typer.Argument(help="Audio files and folders; folders are searched.")],
    database: Database,
    add: Annotated[bool, typer.Option("--add", help="Add to an existing database.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes to use.", show_default="one per core")] = (
        os.cpu_count() or 1
    ),
    layout: Annotated[
        str, typer.Option("--layout", help="pq (12 bytes a second), or flat for small libraries.")
    ] = "pq",
    hop_s: Annotated[
        float | None,
        typer.Option("--hop", help="Seconds between fingerprints: 0.5 finds shorter sound, in twice the space."),
    ] = None,
    code_bytes: Annotated[
        int | None, typer.Option("--code-bytes", help="Bytes of a fingerprint: 6, 8, 12, 16 or 24.", show_default="12")
    ] = None,
    codebook: Annotated[
        str,
        typer.Option(
            "--codebook", help="shipped; own: train on this music; auto: own if the collection is large enough."
        ),
    ] = "auto",
    engine: Annotated[
        str, typer.Option("--engine", help="local, or ray: on a cluster (docs/cluster.md); the result is the same.")
    ] = "local",
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Fingerprint files and folders into a database; interrupted, the same command goes on where it stopped."""
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.index.choose_codebook import CodebookChoice
    from ondevice_db.ingest.ingest import index_paths

    if (add or layout == "flat") and (code_bytes is not None or codebook != "auto"):
        message = "--code-bytes and --codebook are for a new database of layout pq; it keeps them when songs are added"
        raise typer.BadParameter(message)
    paths = [Path(source) for source in expand_sources([str(path) for path in music])]
    outcome = Outcome()
    with progress_bar("indexing", total=len(paths)) as advance:
        report = index_paths(
            paths,
            database,
            Fingerprinter.from_model(fingerprinter),
            jobs=jobs,
            add=add,
            layout=layout,
            hop_s=hop_s,
            engine=engine,
            codebook=CodebookChoice(source=codebook, code_bytes=code_bytes),  # type: ignore[arg-type]
            progress=lambda state: advance(state.n_done, state.n_total, f"{state.times_real_time:.0f}x real time"),
        )
    for _, reason in report.failed:
        outcome.failed(reason)
    for path, original in report.skipped:
        note(f"{path}: the same sound as {original}; indexed once")
    record = {
        "database": str(database),
        "added": len(report.added),
        "resumed": report.n_resumed,
        "duplicates": len(report.skipped),
        "failed": [{"file": str(path), "reason": str(reason)} for path, reason in report.failed],
        "seconds_of_audio": report.seconds_of_audio,
    }
    if report.n_resumed:
        note(f"{report.n_resumed} files had been done by an interrupted run")
    if as_json:
        emit_json("index/1", record)
    else:
        hours = f"{report.seconds_of_audio / 3600:.2f} h of audio"
        counts = f"{len(report.added)} songs added, {len(report.skipped)} duplicates, {len(report.failed)} failed"
        say(f"{database}: {counts}, {hours}")
    raise typer.Exit(outcome.failure_code)
