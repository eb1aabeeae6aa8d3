"""Open a shipped or user-given model folder: check every hash first, then hand out the paths."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import MODEL_SCHEMA_VERSION, builtin_model_dir, check_file, read_manifest
from nowplaying_core.errors import CorruptArtifactError

__all__ = ["ModelFolder", "file_digests"]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model's folder whose files have been checked against ``manifest.json``.

    Attributes
    ----------
    path : Path
    manifest : dict
        ``kind`` "model", ``schema_version``, ``role`` ("detector", "fingerprinter" or "audio_encoder"), ``name``,
        ``version``, ``files`` {name: {"sha256", "bytes"}}, ``tensors``, settings, ``metrics``.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, source: "str | Path | ModelFolder", *, role: str | None = None) -> "ModelFolder":
        """Open a model by its shipped name or by folder, checking hashes and role.

        Parameters
        ----------
        source : str, Path or ModelFolder
            A shipped name ("detector-v3") or a folder that holds ``manifest.json``; an opened one is not checked again.
        role : str or None
            The only role to accept, ``"detector"``, ``"fingerprinter"`` or ``"audio_encoder"``.

        Raises
        ------
        ArtifactError
            When there is no such model, a file differs from its manifest, or the role is another.
        """
        if isinstance(source, ModelFolder) and role in {None, source.manifest.get("role")}:
            return source
        folder = source.path if isinstance(source, ModelFolder) else Path(source)
        if not (folder / "manifest.json").is_file():
            folder = builtin_model_dir(str(source))
        manifest = read_manifest(folder / "manifest.json", kind="model", schema_version=MODEL_SCHEMA_VERSION)
        if role is not None and manifest.get("role") != role:
            message = f"{folder}: expected a {role} model, found role {manifest.get('role')!r}; name another"
            raise CorruptArtifactError(message)
        files = manifest.get("files")
        if not isinstance(files, dict) or not files:
            message = f"{folder / 'manifest.json'}: expected a table of 'files', found {files!r}; export it again"
            raise CorruptArtifactError(message)
        for name, record in files.items():
            # A manifest is untrusted: it may not point outside its own folder.
            if Path(name).name != name or not isinstance(record, dict):
                message = f"{folder / 'manifest.json'}: {name!r} is no plain file name with a record; export it again"
                raise CorruptArtifactError(message)
            check_file(folder / name, record)
        return cls(folder, manifest)

    def file(self, name: str) -> Path:
        """Return the path of a file that the manifest names and whose hash was checked."""
        if name not in self.manifest["files"]:
            message = f"{self.path / 'manifest.json'}: expected a file {name!r}, found {sorted(self.manifest['files'])}"
            raise CorruptArtifactError(message)
        return self.path / name


def file_digests(manifest: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Return the beginnings of the hashes of files by name prefix; a codebook may change within an embedding space."""
    files = manifest["files"].items()
    return {name: record["sha256"][:16] for name, record in files if name.startswith(prefix)}
