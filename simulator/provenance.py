"""Where figures come from: command, version, date, models with hashes, database, device, seed and number of days."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nowplaying_core import __version__
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.text import printable

__all__ = ["ModelIdentity", "Provenance"]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """A model: its role, name and version, and its files' hashes; in words, the first digits of its graphs'."""

    role: str
    name: str
    version: str
    files: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, folder: ModelFolder) -> "ModelIdentity":
        """Return the identity of an opened model."""
        manifest = folder.manifest
        files = tuple((name, str(entry["sha256"])) for name, entry in sorted(manifest["files"].items()))
        return cls(str(manifest["role"]), str(manifest["name"]), str(manifest.get("version", "")), files)

    def __str__(self) -> str:
        graphs = [f"{name} {digest[:12]}" for name, digest in self.files if name.endswith(".tflite")]
        n_others = len(self.files) - len(graphs)
        others = [f"{n_others} other {'file' if n_others == 1 else 'files'}"] if n_others else []
        return f"{self.name} {self.version} ({', '.join([*graphs, *others])})".replace("  ", " ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """How figures were made.

    Attributes
    ----------
    command : str
        As it was typed.
    models : sequence of ModelIdentity
    database, device : str
    seed, n_days : int or None
        None where there was none.
    changed : sequence of str
        Figures that were stated in place of the profile's.
    version, date : str
        Of nowplaying; in UTC, or at SOURCE_DATE_EPOCH where that is set.
    """

    command: str
    models: Sequence[ModelIdentity]
    database: str
    device: str
    seed: int | None = None
    n_days: int | None = None
    changed: Sequence[str] = ()
    version: str = __version__
    date: str = ""

    def __post_init__(self) -> None:
        for name in ("command", "database", "device"):  # names of files may be no UTF-8, which reports are
            object.__setattr__(self, name, printable(getattr(self, name)))
        if not self.date:
            epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
            now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
            object.__setattr__(self, "date", now.strftime("%Y-%m-%d %H:%M UTC"))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, with whole hashes."""
        return {
            "command": self.command,
            "version": self.version,
            "date": self.date,
            "models": [
                {"role": one.role, "name": one.name, "version": one.version, "sha256": dict(one.files)}
                for one in self.models
            ],
            "database": self.database,
            "device": self.device,
            "seed": self.seed,
            "n_days": self.n_days,
            "changed": list(self.changed),
        }

    def rows(self) -> list[tuple[str, str]]:
        """Return it as rows of a table."""
        rows = [
            ("command", self.command),
            ("nowplaying", self.version),
            ("date", self.date),
            *((one.role, str(one)) for one in self.models),
            ("database", self.database),
            ("device profile", self.device),
            ("stated with --set", ", ".join(self.changed)),
            ("seed", "" if self.seed is None else str(self.seed)),
            ("days", "" if self.n_days is None else str(self.n_days)),
        ]
        return [(name, text) for name, text in rows if text]
