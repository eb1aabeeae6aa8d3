"""``nowplaying index``: fingerprint music into a song database."""

import os
from typing import Annotated, Literal

import typer

from nowplaying.cli.options import Database, FingerprinterModel, Json
from nowplaying.cli.outcome import Outcome
from nowplaying.cli.output import emit_json, note, progress_bar, say
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.text import counted

__all__ = ["index"]


def index(
    music: Annotated[list[str], typer.Argument(help="Audio files and folders; folders are searched.")],
    database: Database,
    add: Annotated[bool, typer.Option("--add", help="Add to an existing database.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes to use.", show_default="one per core")
    ] = None,
    layout: Annotated[
        Literal["pq", "flat"] | None,
        typer.Option("--layout", help="Codes of 12 bytes a second, or floats for small libraries.", show_default="pq"),
    ] = None,
    hop_s: Annotated[
        float | None,
        typer.Option("--hop", help="Seconds between fingerprints: 0.5 finds shorter sound, in twice the space."),
    ] = None,
    code_bytes: Annotated[
        int | None, typer.Option("--code-bytes", help="Bytes of a fingerprint: 6, 8, 12, 16 or 24.", show_default="12")
    ] = None,
    codebook: Annotated[
        Literal["auto", "own", "shipped"],
        typer.Option("--codebook", help="Own is trained on this music; auto does so if there is enough of it."),
    ] = "auto",
    engine: Annotated[
        Literal["local", "ray"], typer.Option("--engine", help="This machine, or a Ray cluster (docs/cluster.md).")
    ] = "local",
    min_seconds: Annotated[
        float | None,
        typer.Option("--min-seconds", min=0.0, help="Refuse shorter recordings.", show_default="one window, 2 s"),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Index what can be read of truncated and damaged files.")
    ] = False,
    update_tags: Annotated[
        bool, typer.Option("--update-tags", help="With --add: read the tags of songs that are in already again.")
    ] = False,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Fingerprint files and folders into a database; interrupted, the same command goes on where it stopped."""
    from nowplaying.api.index import audio_files
    from nowplaying.api.index import index as index_music

    paths = audio_files(music)
    outcome = Outcome()
    with progress_bar("indexing", total=len(paths)) as advance:
        report = index_music(
            paths,
            database,
            jobs=jobs or os.cpu_count() or 1,
            add=add,
            layout=layout,
            hop_s=hop_s,
            engine=engine,
            codebook=codebook,
            code_bytes=code_bytes,
            model=fingerprinter,
            min_seconds=min_seconds,
            lenient=lenient,
            update_tags=update_tags,
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
        "unchanged": report.n_unchanged,
        "updated": report.n_updated,
        "failed": [{"file": str(path), "reason": str(reason)} for path, reason in report.failed],
        "seconds_of_audio": report.seconds_of_audio,
    }
    if report.n_resumed:
        note(f"{counted(report.n_resumed, 'file')} had been done by an interrupted run")
    if not database.exists():
        note(f"{database}: not made, because none of the files could be indexed")
    if as_json:
        emit_json("index/1", record)
    else:
        say(f"{database}: {report}")
    raise typer.Exit(outcome.failure_code)
