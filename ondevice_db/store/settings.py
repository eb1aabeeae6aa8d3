"""How the fingerprints of a database were made, and whether new ones may join them."""

from dataclasses import dataclass, fields, replace
from pathlib import Path

from nowplaying_core.errors import DatabaseError, ManifestMismatchError
from ondevice_db.format.manifest import MANIFEST_NAME, DatabaseManifest
from ondevice_db.store.store import SongDatabase

__all__ = ["FingerprintSettings", "check_target"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FingerprintSettings:
    """How the fingerprints of a database were made.

    Attributes
    ----------
    embedding_space : str
        Id of the front end and encoder.
    encoder : str
        The model's name, for messages.
    dim : int
    hop_s, window_s : float, seconds
        Of the reference fingerprints.
    """

    embedding_space: str
    encoder: str
    dim: int
    hop_s: float
    window_s: float

    @classmethod
    def of(cls, manifest: DatabaseManifest) -> "FingerprintSettings":
        """Return the settings of a database."""
        return cls(
            embedding_space=manifest.embedding_space,
            encoder=manifest.encoder,
            dim=manifest.dim,
            hop_s=manifest.hop_s,
            window_s=manifest.window_s,
        )


def check_target(path: Path, settings: FingerprintSettings | None, *, extend: bool) -> SongDatabase | None:
    """Refuse a target that a writer would refuse, and return the database to extend; None for a new one.

    Raises
    ------
    DatabaseError
        When a new database's path exists already, or there is no database to extend.
    ArtifactError
        When the database to extend is damaged or was built with other settings.
    """
    if not extend:
        if path.exists():
            is_database = (path / MANIFEST_NAME).exists()
            advice = "add to it with --add, or delete it first" if is_database else "it is no database; name another"
            message = f"{path}: exists already; {advice}"
            raise DatabaseError(message)
        return None
    database = SongDatabase.open(path, settings.embedding_space if settings else None)
    found = FingerprintSettings.of(database.manifest)
    if settings is not None and replace(settings, encoder=found.encoder) != found:
        named = [item.name for item in fields(found) if getattr(found, item.name) != getattr(settings, item.name)]
        differences = [
            f"{name.removesuffix('_s')} {getattr(settings, name)} instead of {getattr(found, name)}"
            for name in named
            if name != "encoder"
        ]
        message = f"{path}: expected songs made as it was, found {', '.join(differences)}; index all the music again"
        raise ManifestMismatchError(message)
    return database
