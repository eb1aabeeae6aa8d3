"""Scenes, scenarios and assumptions of a day, read from the TOML files beside this one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nowplaying_core.errors import ConfigError
from simulator.energy.constants import Constant, read_constant, read_toml

__all__ = [
    "SOUNDS",
    "Assumptions",
    "Block",
    "DayScene",
    "Scenario",
    "load_assumptions",
    "load_scenarios",
    "load_scenes",
]

_FOLDER = Path(__file__).resolve().parent
_SCHEMA_VERSION = 1
SOUNDS = ("quiet", "speech", "noise", "speech in noise")
"""What may be there besides music: the kinds of sound for which the detector's false wake-ups are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayScene:
    """A place or doing; see ``scenes.toml`` for what each figure means."""

    name: str
    title: str
    sound: str
    level_db: float
    sounding_share: float
    dwell_min: float
    music_share: float
    songs_in_row: float
    snr_db: float
    snr_sd_db: float
    room: bool
    phone: str

    def __post_init__(self) -> None:
        in_order = 0 <= self.sounding_share <= 1 and 0 <= self.music_share < 1 and self.snr_sd_db >= 0
        if not (in_order and self.dwell_min > 0 and self.songs_in_row >= 1):
            message = f"scene {self.name!r}: expected shares from 0 to below 1, dwell_min > 0 and songs_in_row >= 1"
            raise ConfigError(message)
        if self.sound not in SOUNDS or self.phone not in {"", "own_playback", "call"}:
            message = f"scene {self.name!r}: expected a sound of {SOUNDS}, found {self.sound!r} and {self.phone!r}"
            raise ConfigError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Part of a scenario's day: from its hour on, the person moves between these scenes."""

    start_h: float
    jitter_h: float
    charging: bool
    weights: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A kind of day.

    Attributes
    ----------
    name, title : str
    share : float in [0, 1]
        Of all days in the average day.
    blocks : tuple of Block
        By hour; the last one reaches over midnight to the first.
    """

    name: str
    title: str
    share: float
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """What days assume beyond the scenes; see ``assumptions.toml`` for what each figure means."""

    music_factor: float
    sounding_factor: float
    dwell_factor: float
    snr_shift_db: float
    known_share: float
    song_s: float
    song_sd_s: float
    day_sd: float
    chances_per_song: float
    leave_delay_s: float
    false_open_s: float
    awake_percent_per_h: float
    saver_percent: float
    constants: Mapping[str, Constant]

    def with_value(self, name: str, value: float) -> "Assumptions":
        """Return the assumptions with one changed."""
        if name not in self.constants:
            message = f"assumptions: expected one of {sorted(self.constants)}, found {name!r}"
            raise ConfigError(message)
        constants = {**self.constants, name: replace(self.constants[name], value=value)}
        return replace(self, **{name: value}, constants=constants)


@cache
def load_scenes() -> Mapping[str, DayScene]:
    """Return the scenes by name.

    Raises
    ------
    ConfigError
        When the file is damaged.
    """
    path = _FOLDER / "scenes.toml"
    table = _read(path, {"scene"})
    names = {one.name for one in fields(DayScene)} - {"name"}
    scenes = {}
    for name, entries in table["scene"].items():
        if set(entries) != names:
            message = f"{path}: scene {name!r}: expected {sorted(names)}, found {sorted(entries)}"
            raise ConfigError(message)
        scenes[name] = DayScene(name=name, **entries)
    return scenes


@cache
def load_scenarios() -> Mapping[str, Scenario]:
    """Return the scenarios by name; their shares are those of the average day and sum to one."""
    scenarios = {path.stem: _scenario(path) for path in sorted((_FOLDER / "scenarios").glob("*.toml"))}
    total = sum(scenario.share for scenario in scenarios.values())
    if abs(total - 1) > 1e-9:
        message = f"{_FOLDER / 'scenarios'}: expected shares that sum to 1, found {total:g}"
        raise ConfigError(message)
    return scenarios


@cache
def load_assumptions() -> Assumptions:
    """Return the shipped assumptions."""
    path = _FOLDER / "assumptions.toml"
    names = {one.name for one in fields(Assumptions)} - {"constants"}
    table = _read(path, {"assumptions"})["assumptions"]
    if set(table) != names:
        message = f"{path}: expected {sorted(names)}, found {sorted(table)}"
        raise ConfigError(message)
    constants = {
        name: read_constant(f"{path}: {name}", entry, may_be_negative=name == "snr_shift_db")
        for name, entry in table.items()
    }
    values = {name: constant.value for name, constant in constants.items()}
    return Assumptions(**values, constants=constants)


def _scenario(path: Path) -> Scenario:
    table = _read(path, {"title", "share", "block"})
    blocks = []
    for entry in table["block"]:
        unknown = set(entry.get("weights", {})) - set(load_scenes())
        if set(entry) != {"start_h", "jitter_h", "charging", "weights"} or not entry["weights"] or unknown:
            message = f"{path}: expected start_h, jitter_h, charging and weights of known scenes, found {entry}"
            raise ConfigError(message)
        blocks.append(Block(**entry))
    hours = [block.start_h for block in blocks]
    if hours != sorted(set(hours)) or not 0 <= hours[0] <= hours[-1] < 24 or not 0 <= table["share"] <= 1:
        message = f"{path}: expected blocks by hour from 0 to 24 and a share from 0 to 1, found {hours}"
        raise ConfigError(message)
    return Scenario(name=path.stem, title=table["title"], share=float(table["share"]), blocks=tuple(blocks))


def _read(path: Path, keys: set[str]) -> dict[str, Any]:
    table = read_toml(path, "a table of days")
    if set(table) != keys | {"schema_version"} or table["schema_version"] != _SCHEMA_VERSION:
        message = f"{path}: expected schema_version {_SCHEMA_VERSION} and {sorted(keys)}, found {sorted(table)}"
        raise ConfigError(message)
    return table
