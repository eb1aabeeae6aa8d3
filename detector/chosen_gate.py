"""A gate that was chosen for a detector, as a file: by a person, or by a cross-validation."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from detector.gate import GateConfig
from nowplaying_core.errors import CorruptArtifactError, MissingPathError
from nowplaying_core.settings import read_settings

__all__ = ["ChosenGate", "read_chosen_gate"]

_LEFT_OUT: Final = {item.name: None for item in fields(GateConfig) if item.default is None}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenGate:
    """What is chosen on streams once a detector's networks are trained.

    Attributes
    ----------
    gate : GateConfig
    wanted_above : int or None
        The first stage's smallest output in 256ths for which a second stage is run; None where it is not chosen here.
    """

    gate: GateConfig
    wanted_above: int | None = None


def read_chosen_gate(path: Path) -> ChosenGate:
    """Read a table ``gate``, and a number ``wanted_above`` where there is one.

    Parameters
    ----------
    path : Path
        TOML, where what may be None is left out for it; or JSON such as ``nowplaying train detector-crossval``
        writes, whose other entries are not read.

    Raises
    ------
    MissingPathError
        When there is no such file.
    CorruptArtifactError
        When it cannot be read, or holds no gate.
    """
    try:
        table: dict[str, Any]
        if path.suffix == ".toml":
            table = read_settings(path)
            gate = {**_LEFT_OUT, **table["gate"]}
        else:
            table = json.loads(path.read_text(encoding="utf-8"))
            gate = table["gate"]
        wanted_above = table.get("wanted_above")
        if wanted_above is not None and (isinstance(wanted_above, bool) or not isinstance(wanted_above, int)):
            message = f"wanted_above must be a whole number, found {wanted_above!r}"
            raise TypeError(message)
        return ChosenGate(gate=GateConfig.from_dict(gate), wanted_above=wanted_above)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        is_missing = isinstance(error, FileNotFoundError | MissingPathError)
        reason = "there is no such file" if is_missing else str(error)
        message = f"{path}: expected a table gate, in TOML or as train detector-crossval writes it; {reason}"
        raise (MissingPathError if is_missing else CorruptArtifactError)(message) from error
