"""The commands of ``nowplaying db`` that change a database, and those that distribute the change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying.cli import complete
from nowplaying.cli.options import DatabaseArgument, FingerprinterModel, Json, writable_file
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER

if TYPE_CHECKING:
    from ondevice_db.format.manifest import DatabaseManifest

__all__ = ["PublicKey", "apply", "compact", "delta", "describe", "merge", "remove", "replace", "rollback", "sign"]

_TrackId = Annotated[str, typer.Argument(metavar="TRACK_ID", help="As 'db list' prints it.")]
_Text = Annotated[str | None, typer.Option(help="New text; '' empties it.", show_default=False)]
PublicKey = Annotated[
    Path | None,
    typer.Option("--public-key", metavar="PEM", help="P-256 key that must have signed it.", show_default=False),
]


def remove(
    database: DatabaseArgument,
    track_ids: Annotated[list[str], typer.Argument(metavar="TRACK_ID", help="As 'db list' prints them.")],
    as_json: Json = False,
) -> None:
    """Take songs out."""
    from nowplaying_core.errors import ConfigError
    from ondevice_db.store.changes import remove_tracks

    wanted = list(dict.fromkeys(track_ids))
    removed = remove_tracks(database, wanted)
    missing = [track_id for track_id in wanted if track_id not in removed]
    if removed:
        _report(database, "remove", _songs(len(removed)) + " removed", as_json, removed=len(removed))
    if missing:
        message = f"{database}: holds no song {', '.join(missing)}; see 'nowplaying db list'"
        raise ConfigError(message)


def merge(
    database: DatabaseArgument,
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="OTHER", help="Databases whose songs are added.", autocompletion=complete.databases),
    ],
    quantize_again: Annotated[
        bool, typer.Option("--quantize-again", help="Take songs of another codebook too, at a loss of accuracy.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Add the songs of other databases, each recording once; nothing is fingerprinted again."""
    from ondevice_db.store.changes import merge_databases

    report = merge_databases(database, sources, quantize_again=quantize_again)
    if report.quantized_again:
        note(f"{_songs(report.quantized_again)} of another codebook encoded anew, which costs accuracy")
    text = (
        f"{_songs(report.added)} added, {report.duplicates} {'duplicate' if report.duplicates == 1 else 'duplicates'}"
    )
    facts = {"added": report.added, "duplicates": report.duplicates, "quantized_again": report.quantized_again}
    _report(database, "merge", text, as_json, **facts)


def describe(
    database: DatabaseArgument,
    track_id: _TrackId,
    title: _Text = None,
    artist: _Text = None,
    album: _Text = None,
    as_json: Json = False,
) -> None:
    """Change a song's metadata."""
    from nowplaying_core.errors import ConfigError
    from ondevice_db.store.changes import describe_track

    texts = {"title": title, "artist": artist, "album": album}
    given = {name: text for name, text in texts.items() if text is not None}
    if not given:
        message = "describe: expected --title, --artist or --album, found none"
        raise ConfigError(message)
    track = describe_track(database, track_id, given)
    _report(database, "describe", f"{track_id} is {track.name}", as_json, track=track.to_dict())


def replace(
    database: DatabaseArgument,
    track_id: _TrackId,
    file: Annotated[Path, typer.Argument(help="The recording that takes its place.")],
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Put another recording in a song's place."""
    from fingerprinter.fingerprint import Fingerprinter
    from ondevice_db.ingest.ingest import replace_with_file

    track = replace_with_file(database, track_id, file, Fingerprinter.from_model(fingerprinter))
    _report(database, "replace", f"{track_id} replaced with {track.track_id}", as_json, track=track.to_dict())


def compact(database: DatabaseArgument, as_json: Json = False) -> None:
    """Close the gaps of removed songs and drop the previous version, after which a rollback is impossible."""
    from ondevice_db.store.changes import compact_database

    manifest = compact_database(database)
    _report(database, "compact", f"{_songs(manifest.n_songs)}, no gaps left", as_json)


def rollback(database: DatabaseArgument, as_json: Json = False) -> None:
    """Return to the version before the last change."""
    from ondevice_db.store.versions import roll_back

    _report(database, "rollback", _version(roll_back(database)), as_json)


def delta(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="Database as others have it.", autocompletion=complete.databases)
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="A copy of it that was changed.", autocompletion=complete.databases)
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="Delta to write.", show_default=False, callback=writable_file),
    ],
    as_json: Json = False,
) -> None:
    """Write the small download that leads from one version to a later one."""
    from ondevice_db.update.delta import make_delta

    n_bytes = make_delta(old, new, out)
    if as_json:
        emit_json("delta/1", {"path": str(out), "bytes": n_bytes})
    else:
        say(f"{out}: {n_bytes} bytes from {old} to {new}")


def apply(
    database: DatabaseArgument,
    file: Annotated[Path, typer.Argument(metavar="DELTA", help="File that 'db delta' made.")],
    public_key: PublicKey = None,
    as_json: Json = False,
) -> None:
    """Bring a database to the version that a delta leads to: all of it or nothing."""
    from ondevice_db.update.delta import apply_delta

    _report(database, "apply", _version(apply_delta(database, file, public_key=public_key)), as_json)


def sign(
    database: DatabaseArgument,
    key: Annotated[Path, typer.Option("--key", metavar="PEM", help="Private P-256 key.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Sign a database as its publisher; any later change makes it unsigned."""
    from ondevice_db.update.signature import sign_database

    path = sign_database(database, key)
    _report(database, "sign", f"signed in {path.name}", as_json, signature=str(path))


def _report(database: Path, action: str, text: str, as_json: bool, **facts: object) -> None:
    if not as_json:
        say(f"{database}: {text}")
        return
    from ondevice_db.format.manifest import load_manifest

    manifest = load_manifest(database)
    state = {"generation": manifest.generation, "n_songs": manifest.n_songs}
    emit_json("change/1", {"database": str(database), "action": action, **state, **facts})


def _songs(number: int) -> str:
    return f"{number} {'song' if number == 1 else 'songs'}"


def _version(manifest: "DatabaseManifest") -> str:
    return f"now at generation {manifest.generation} with {_songs(manifest.n_songs)}"
