"""``nowplaying db``: look inside a song database, check it, take songs out."""

from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import Json
from nowplaying.cli.output import clock, emit_json, say, table

__all__ = ["app"]

app = typer.Typer(help="Look inside a song database, check it, take songs out.", no_args_is_help=True)
_Path = Annotated[Path, typer.Argument(metavar="DB", help="Song database: a folder NAME.npdb.")]


@app.command()
def info(database: _Path, json_output: Json = False) -> None:
    """Print counts, sizes and parameters."""
    from ondevice_db.store import SongDatabase

    facts = SongDatabase.open(database).info()
    if json_output:
        emit_json("database/1", facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        say(f"{name.ljust(width)}  {value:g}" if isinstance(value, float) else f"{name.ljust(width)}  {value}")


@app.command("list")
def list_songs(database: _Path, json_output: Json = False) -> None:
    """Print every song with its track id."""
    from ondevice_db.store import SongDatabase

    tracks = [track for _, track in SongDatabase.open(database).songs]
    if json_output:
        for track in tracks:
            emit_json("track/1", track.to_dict())
        return
    rows = [[one.track_id, clock(one.duration_s), one.artist, one.title, one.album] for one in tracks]
    table(["track id", "length", "artist", "title", "album"], rows)


@app.command()
def verify(database: _Path, json_output: Json = False) -> None:
    """Check every hash, size and bound, and that the songs find themselves."""
    from ondevice_db.verify import verify_database

    report = verify_database(database)
    if json_output:
        emit_json("verification/1", report.to_dict())
    else:
        say(f"{database}: {report}")


@app.command()
def remove(
    database: _Path,
    track_ids: Annotated[list[str], typer.Argument(metavar="TRACK_ID...", help="As 'db list' prints them.")],
) -> None:
    """Take songs out of a database."""
    from nowplaying.errors import ConfigError
    from ondevice_db.changes import remove_tracks

    wanted = list(dict.fromkeys(track_ids))
    removed = remove_tracks(database, wanted)
    missing = [track_id for track_id in wanted if track_id not in removed]
    if removed:
        say(f"{database}: {len(removed)} {'song' if len(removed) == 1 else 'songs'} removed")
    if missing:
        message = f"{database}: holds no song {', '.join(missing)}; see 'nowplaying db list'"
        raise ConfigError(message)
