"""Scenes, scenarios and assumptions of a day, read from the TOML files beside this one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from nowplaying_core.errors import ConfigError
from simulator.days.figures import figure_of
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
    "scenario_from",
    "scene_from",
]

_FOLDER = Path(__file__).resolve().parent
_SCHEMA_VERSION = 1
_SONGS_OF_KNOWN_SHARE = 10_000
_FEW = 100
_MOST_JITTER_H = 6.0
_MOST = 1e9  # of any number
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
        if self.sound not in SOUNDS or self.phone not in ("", "own_playback", "call"):
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
    scenes : mapping of str to DayScene
        Scenes of its own, beside the shipped ones.
    """

    name: str
    title: str
    share: float
    blocks: tuple[Block, ...]
    scenes: Mapping[str, DayScene] = field(default_factory=dict)


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
        figure_of(f"days.{name}").check(f"assumptions: {name}", value)
        constants = {**self.constants, name: self.constants[name].at(value)}
        return replace(self, **{name: value}, constants=constants)

    def for_database(self, n_songs: int) -> "Assumptions":
        """Return the assumptions with the share of music that a database of this size holds.

        Notes
        -----
        ``known_share`` holds for 10,000 songs. Plays are assumed to follow Zipf's law over the songs by popularity, and
        a database to hold the most popular ones: its share grows with the harmonic number of its songs.
        """
        share = min(1.0, self.known_share * _harmonic(n_songs) / _harmonic(_SONGS_OF_KNOWN_SHARE))
        return replace(self, known_share=share)


def _harmonic(n: int) -> float:
    """Return 1 + 1/2 + ... + 1/n."""
    if n < _FEW:
        return sum(1 / i for i in range(1, n + 1))
    return math.log(n) + 0.5772156649 + 1 / (2 * n)


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
    return {
        name: scene_from(f"{path}: scene {name!r}", name, entries, names) for name, entries in table["scene"].items()
    }


def scene_from(where: str, name: str, entries: Any, names: set[str]) -> DayScene:
    """Return a scene from a table.

    Raises
    ------
    ConfigError
        When a key is missing or unknown, or a value cannot be.
    """
    if not isinstance(entries, Mapping) or set(entries) != names:
        message = f"{where}: expected {sorted(names)}, found {entries!r}"
        raise ConfigError(message)
    numbers = {"level_db", "sounding_share", "dwell_min", "music_share", "songs_in_row", "snr_db", "snr_sd_db"}
    wrong = [key for key in numbers if not _is_number(entries[key])]
    if wrong or not isinstance(entries["room"], bool) or not isinstance(entries["title"], str):
        message = f"{where}: expected numbers for {sorted(numbers)}, true or false for room and text for title, found "
        raise ConfigError(message + repr(dict(entries)))
    return DayScene(name=name, **entries)


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
    return scenario_from(str(path), path.stem, _read(path, {"title", "share", "block"}), {})


def scenario_from(where: str, name: str, table: Mapping[str, Any], scenes: Mapping[str, DayScene]) -> Scenario:
    """Return a kind of day from a table with title, share and blocks.

    Parameters
    ----------
    where : str
        For messages.
    name : str
    table : mapping
    scenes : mapping of str to DayScene
        Its own, beside the shipped ones.

    Raises
    ------
    ConfigError
        When a key is missing or unknown, or a value cannot be.
    """
    given = table.get("block")
    if set(table) - {"schema_version"} != {"title", "share", "block"} or not isinstance(given, list) or not given:
        message = f"{where}: expected title and at least one block, found {sorted(table)}"
        raise ConfigError(message)
    blocks = [_block(where, entry, [*scenes, *load_scenes()]) for entry in given]
    hours = [block.start_h for block in blocks]
    share = table["share"] if _is_number(table["share"]) else -1.0
    if hours != sorted(set(hours)) or not 0 <= hours[0] <= hours[-1] < 24 or not 0 <= share <= 1:
        message = f"{where}: expected blocks by hour from 0 to 24 and a share from 0 to 1, found {hours}"
        raise ConfigError(message)
    if not all(0 <= block.jitter_h <= _MOST_JITTER_H for block in blocks):
        message = f"{where}: expected jitter_h from 0 to {_MOST_JITTER_H:g}"
        raise ConfigError(message)
    return Scenario(name=name, title=str(table["title"]), share=float(share), blocks=tuple(blocks), scenes=scenes)


def _block(where: str, entry: Any, scenes: Sequence[str]) -> Block:
    weights = entry.get("weights") if isinstance(entry, Mapping) else None
    if (
        not isinstance(weights, Mapping)
        or set(entry) != {"start_h", "jitter_h", "charging", "weights"}
        or not (_is_number(entry["start_h"]) and _is_number(entry["jitter_h"]) and isinstance(entry["charging"], bool))
        or not (
            weights and set(weights) <= set(scenes) and all(_is_number(one) and one > 0 for one in weights.values())
        )
    ):
        message = (
            f"{where}: expected start_h and jitter_h in hours, charging (true or false) and positive weights of known "
            f"scenes ({', '.join(scenes)}), found {entry}"
        )
        raise ConfigError(message)
    return Block(**entry)


def _is_number(value: Any) -> bool:
    """Whether a value is a number that a day may have; infinity and what is no number are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST


def _read(path: Path, keys: set[str]) -> dict[str, Any]:
    table = read_toml(path, "a table of days")
    if set(table) != keys | {"schema_version"} or table["schema_version"] != _SCHEMA_VERSION:
        message = f"{path}: expected schema_version {_SCHEMA_VERSION} and {sorted(keys)}, found {sorted(table)}"
        raise ConfigError(message)
    return table
