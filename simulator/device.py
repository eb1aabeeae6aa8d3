"""A device's power constants, read from a TOML profile in which each of them states its source."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from nowplaying.errors import ConfigError

__all__ = ["Battery", "Constant", "DeviceProfile", "Dsp", "LteServer", "Sleep", "Wake", "WifiServer", "device_names"]

_SCHEMA_VERSION = 1
_FOLDER = Path(__file__).resolve().parent / "devices"


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """One figure with its origin.

    Attributes
    ----------
    value, low, high : float >= 0
        Best figure, and the range in which the truth may lie; without a stated range all three are equal.
    source : str
        Publication, file or "assumption: ...".
    """

    value: float
    low: float
    high: float
    source: str

    @property
    def is_assumption(self) -> bool:
        """Whether nobody published the figure."""
        return self.source.startswith("assumption")


@dataclass(frozen=True, kw_only=True, slots=True)
class Battery:
    """Charge in mAh and the voltage that turns charge into energy."""

    capacity_mah: float
    calibration_voltage_v: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Dsp:
    """Extra stand-by current of microphone, features, detector and ring buffer together, in mA."""

    detector_ma: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Wake:
    """Cost of one wake-up of the application processor: as published, and the parts of a modelled one."""

    published_j: float
    resume_j: float
    cpu_active_ma: float
    cluster_ma: float
    core_ma: float
    slower_than_desktop: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Sleep:
    """Current of the sleeping phone itself in mA, which it draws with or without music recognition."""

    suspend_ma: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LteServer:
    """Radio of one request to a server over LTE."""

    promotion_s: float
    promotion_w: float
    base_w: float
    upload_w_per_mbps: float
    upload_mbps: float
    inactivity_s: float
    tail_s: float
    tail_w: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WifiServer:
    """Radio of one request to a server over Wi-Fi."""

    active_w: float
    active_s: float
    tail_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceProfile:
    """A device.

    Attributes
    ----------
    name, title : str
    battery, dsp, wake, phone, server_lte, server_wifi : the parts of the device
    constants : mapping of str to Constant
        Every figure under "part.name" with its range and source.
    """

    name: str
    title: str
    battery: Battery
    dsp: Dsp
    wake: Wake
    phone: Sleep
    server_lte: LteServer
    server_wifi: WifiServer
    constants: Mapping[str, Constant]

    @classmethod
    def load(cls, source: str | Path = "pixel-2") -> "DeviceProfile":
        """Read a profile by its shipped name or from a TOML file.

        Raises
        ------
        ConfigError
            When there is no such profile, or a figure is missing, unknown, negative or without a source.
        """
        path = Path(source)
        if path.suffix != ".toml":
            path = _FOLDER / f"{source}.toml"
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            message = f"no device profile {str(source)!r}: expected one of {device_names()} or a .toml file ({error})"
            raise ConfigError(message) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            message = f"{path}: expected a device profile in TOML ({error})"
            raise ConfigError(message) from error
        return _profile(path, table)

    def milliwatts(self, current_ma: float) -> float:
        """Return the power of a current at the calibration voltage."""
        return current_ma * self.battery.calibration_voltage_v

    def mah(self, energy_mj: float) -> float:
        """Return the battery charge of an energy: 1 mAh is 3.6 C."""
        return energy_mj / (3600.0 * self.battery.calibration_voltage_v)

    def battery_percent(self, energy_mj: float) -> float:
        """Return an energy as percent of the full battery."""
        return self.battery_percent_of_mah(self.mah(energy_mj))

    def battery_percent_of_mah(self, charge_mah: float) -> float:
        """Return a charge as percent of the full battery."""
        return 100.0 * charge_mah / self.battery.capacity_mah


def device_names() -> list[str]:
    """Return the names of the shipped profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


_Part = TypeVar("_Part", Battery, Dsp, Wake, Sleep, LteServer, WifiServer)


def _profile(path: Path, table: dict[str, Any]) -> DeviceProfile:
    parts = {"battery", "dsp", "wake", "phone", "server_lte", "server_wifi"}
    expected = parts | {"schema_version", "name", "title"}
    if set(table) != expected:
        message = f"{path}: expected the keys {sorted(expected)}, found {sorted(table)}"
        raise ConfigError(message)
    if table["schema_version"] != _SCHEMA_VERSION:
        message = f"{path}: expected schema_version {_SCHEMA_VERSION}, found {table['schema_version']!r}"
        raise ConfigError(message)
    constants: dict[str, Constant] = {}
    profile = DeviceProfile(
        name=str(table["name"]),
        title=str(table["title"]),
        battery=_part(path, "battery", table["battery"], Battery, constants),
        dsp=_part(path, "dsp", table["dsp"], Dsp, constants),
        wake=_part(path, "wake", table["wake"], Wake, constants),
        phone=_part(path, "phone", table["phone"], Sleep, constants),
        server_lte=_part(path, "server_lte", table["server_lte"], LteServer, constants),
        server_wifi=_part(path, "server_wifi", table["server_wifi"], WifiServer, constants),
        constants=MappingProxyType(constants),
    )
    for name in ("battery.capacity_mah", "battery.calibration_voltage_v", "server_lte.upload_mbps"):
        if constants[name].value == 0:
            message = f"{path}: expected {name} above 0"
            raise ConfigError(message)
    return profile


def _part(path: Path, name: str, table: Any, part: type[_Part], constants: dict[str, Constant]) -> _Part:
    names = {one.name for one in fields(part)}
    if not isinstance(table, dict) or set(table) != names:
        found = sorted(table) if isinstance(table, dict) else table
        message = f"{path}: expected the figures {sorted(names)} under [{name}], found {found}"
        raise ConfigError(message)
    for key, entry in table.items():
        constants[f"{name}.{key}"] = _constant(f"{path}: {name}.{key}", entry)
    return part(**{key: constants[f"{name}.{key}"].value for key in names})


def _constant(where: str, entry: Any) -> Constant:
    if not isinstance(entry, dict) or not set(entry) <= {"value", "low", "high", "source"}:
        message = f"{where}: expected {{ value, source }} and perhaps low and high, found {entry!r}"
        raise ConfigError(message)
    figures = [entry.get("value"), entry.get("low", entry.get("value")), entry.get("high", entry.get("value"))]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in figures):
        message = f"{where}: expected numbers, found {entry!r}"
        raise ConfigError(message)
    value, low, high = (float(one) for one in figures if one is not None)
    if not 0 <= low <= value <= high < float("inf"):
        message = f"{where}: expected 0 <= low <= value <= high, found {low}, {value}, {high}"
        raise ConfigError(message)
    source = entry.get("source")
    if not isinstance(source, str) or not source.strip():
        message = f"{where}: a figure without a source; state the publication or 'assumption: ...'"
        raise ConfigError(message)
    return Constant(value=value, low=low, high=high, source=source)
