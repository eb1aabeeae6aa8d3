"""``nowplaying db``: inspect and verify a song database; the commands that change one are in db_change."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli import db_change
from nowplaying.cli.options import Json
from nowplaying.cli.output import emit_json, say, table
from nowplaying_core.text import clock

__all__ = ["app"]

app = typer.Typer(help="Inspect, verify and change a song database, and distribute the change.", no_args_is_help=True)
_Path = Annotated[Path, typer.Argument(metavar="DB", help="Song database: a folder NAME.npdb.")]


@app.command()
def info(database: _Path, as_json: Json = False) -> None:
    """Print counts, sizes and parameters."""
    from ondevice_db.store.store import SongDatabase

    facts = SongDatabase.open(database).info() | _versions(database)
    if as_json:
        emit_json("database/1", facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        say(f"{name.ljust(width)}  {value:g}" if isinstance(value, float) else f"{name.ljust(width)}  {value}")


def _versions(database: Path) -> dict[str, object]:
    from ondevice_db.format.schema import load_manifest
    from ondevice_db.store.versions import last_good, signature_name

    current, before = load_manifest(database), last_good(database)
    kept = {record["name"]: record["bytes"] for record in before.files.values()} if before is not None else {}
    own = {record["name"] for record in current.files.values()}
    return {
        "signed": (database / signature_name(current.generation)).is_file(),
        "generation_before": before.generation if before is not None else None,
        "bytes_before": sum(size for name, size in kept.items() if name not in own),
    }


@app.command("list")
def list_songs(database: _Path, as_json: Json = False) -> None:
    """Print every song with its track id."""
    from ondevice_db.store.store import SongDatabase

    tracks = [track for _, track in SongDatabase.open(database).songs]
    if as_json:
        for track in tracks:
            emit_json("track/1", track.to_dict())
        return
    rows = [[one.track_id, clock(one.duration_s), one.artist, one.title, one.album] for one in tracks]
    table(["track id", "length", "artist", "title", "album"], rows)


@app.command()
def verify(database: _Path, public_key: db_change.PublicKey = None, as_json: Json = False) -> None:
    """Check every hash, size and bound, the publisher's signature if asked, and that the songs find themselves."""
    from ondevice_db.update.signature import check_database_signature
    from ondevice_db.verify import verify_database

    if public_key is not None:
        check_database_signature(database, public_key)
    report = verify_database(database)
    if as_json:
        emit_json("verification/1", report.to_dict())
    else:
        say(f"{database}: {report}")


app.command()(db_change.remove)
app.command()(db_change.merge)
app.command()(db_change.describe)
app.command()(db_change.replace)
app.command()(db_change.compact)
app.command()(db_change.rollback)
app.command()(db_change.delta)
app.command()(db_change.apply)
app.command()(db_change.sign)
