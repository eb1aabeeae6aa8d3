"""``nowplaying db``: inspect and verify a song database; the commands that change one are in db_change."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nowplaying.cli import db_change
from nowplaying.cli.app import App
from nowplaying.cli.options import DatabaseArgument, Json
from nowplaying.cli.output import emit_json, paragraph, say, table
from nowplaying_core.text import clock

__all__ = ["app"]

app = App(help="Inspect, verify and change a song database, and distribute the change.", no_args_is_help=True)


def info(database: DatabaseArgument, as_json: Json = False) -> None:
    """Print counts, sizes and parameters."""
    from ondevice_db.store.store import SongDatabase

    facts = SongDatabase.open(database).info() | _versions(database)
    if as_json:
        emit_json("database/1", facts)
        return
    for name, value in _readable(facts):
        say(f"{name:14}{value}")


def _readable(facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
    hop_s, window_s = facts["hop_s"], facts["window_s"]
    kind = ", residual codes" if facts["code_kind"] == "residual" else ""
    code = f"{facts['code_bytes']} bytes" if facts["layout"] == "pq" else f"{facts['dim']} floats"
    cells = f", {facts['n_cells']:,} cells" if facts["n_cells"] else ""
    fixed, per_song = facts["fixed_bytes"], facts["bytes_per_song"]
    yield "database", facts["path"]
    yield "songs", f"{facts['n_songs']:,} ({facts['hours_of_audio']:.2f} h)"
    yield "fingerprints", f"{facts['n_fingerprints']:,}: {window_s:g} s of sound each, one every {hop_s:g} s"
    yield "stored as", f"{facts['layout']}: {code} a fingerprint{kind}{cells}"
    yield "made with", f"{facts['encoder']} (embedding space {facts['embedding_space']})"
    yield "size", f"{_size(facts['total_bytes'])}: {_size(per_song)} a song, and {_size(fixed)} however many"
    before = facts["generation_before"]
    kept = "" if before is None else f"; {before} is kept for 'db rollback' ({_size(facts['bytes_before'])} more)"
    yield "version", f"{facts['generation']}{kept}"
    yield "signed", "yes" if facts["signed"] else "no"


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"


def _versions(database: Path) -> dict[str, object]:
    from ondevice_db.format.manifest import load_manifest
    from ondevice_db.store.versions import last_good, signature_name

    current, before = load_manifest(database), last_good(database)
    kept = {record["name"]: record["bytes"] for record in before.files.values()} if before is not None else {}
    own = {record["name"] for record in current.files.values()}
    return {
        "signed": (database / signature_name(current.generation)).is_file(),
        "generation_before": before.generation if before is not None else None,
        "bytes_before": sum(size for name, size in kept.items() if name not in own),
    }


def list_songs(database: DatabaseArgument, as_json: Json = False) -> None:
    """Print every song with its track id."""
    from ondevice_db.store.store import SongDatabase

    tracks = [track for _, track in SongDatabase.open(database).songs]
    if as_json:
        for track in tracks:
            emit_json("track/1", track.to_dict())
        return
    rows = [[one.track_id, clock(one.duration_s), one.title, one.artist, one.album] for one in tracks]
    table(["track id", "length", "title", "artist", "album"], rows)


def verify(database: DatabaseArgument, public_key: db_change.PublicKey = None, as_json: Json = False) -> None:
    """Check every hash, size and bound, the publisher's signature if asked, and that the songs find themselves."""
    from ondevice_db.update.signature import check_database_signature
    from ondevice_db.verify import verify_database

    if public_key is not None:
        check_database_signature(database, public_key)
    report = verify_database(database)
    if as_json:
        emit_json("verification/1", report.to_dict())
    else:
        paragraph(f"{database}: {report}", indent=2)


app.add(info, example="nowplaying db info music.npdb")
app.add(list_songs, name="list", example="nowplaying db list music.npdb")
app.add(verify, example="nowplaying db verify music.npdb")
app.add(db_change.remove, example="nowplaying db remove music.npdb 0123456789abcdef")
app.add(db_change.merge, example="nowplaying db merge music.npdb more.npdb")
app.add(db_change.describe, example="nowplaying db describe music.npdb 0123456789abcdef --title Morning")
app.add(db_change.replace, example="nowplaying db replace music.npdb 0123456789abcdef better.flac")
app.add(db_change.compact, example="nowplaying db compact music.npdb")
app.add(db_change.rollback, example="nowplaying db rollback music.npdb")
app.add(db_change.delta, example="nowplaying db delta old.npdb new.npdb --out change.delta")
app.add(db_change.apply, example="nowplaying db apply music.npdb change.delta")
app.add(db_change.sign, example="nowplaying db sign music.npdb --key private.pem")
