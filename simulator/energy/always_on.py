"""Other hardware for the always-on side: what microphone, features and detector network draw by published figures."""

from dataclasses import dataclass
from pathlib import Path

from nowplaying_core.errors import ConfigError
from simulator.energy.constants import Constant, read_constant, read_toml
from simulator.energy.device import DeviceProfile

__all__ = ["AlwaysOnHardware", "load_always_on"]

_FILE = Path(__file__).resolve().parent / "always_on.toml"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class AlwaysOnHardware:
    """Hardware for the always-on side.

    Attributes
    ----------
    title : str
    core : Constant
        Features, network and buffer, in mW, or in mA where ``core_is_current``.
    core_is_current : bool
    microphone_ma : Constant or None
        In addition; None where ``core`` includes it.
    """

    title: str
    core: Constant
    core_is_current: bool
    microphone_ma: Constant | None

    def power_mw(self, device: DeviceProfile) -> Constant:
        """Return the power of the whole always-on side at a device's voltage, with its range and sources."""
        ends = []
        for end in ("value", "low", "high"):
            core = float(getattr(self.core, end))
            milliwatts = device.milliwatts(core) if self.core_is_current else core
            if self.microphone_ma is not None:
                milliwatts += device.milliwatts(float(getattr(self.microphone_ma, end)))
            ends.append(milliwatts)
        source = self.core.source
        if self.microphone_ma is not None:
            microphone = self.microphone_ma
            source += f"; microphone {microphone.low:g} to {microphone.high:g} mA: {microphone.source}"
        return Constant(value=ends[0], low=ends[1], high=ends[2], source=source, certainty=self.core.certainty)


def load_always_on() -> list[AlwaysOnHardware]:
    """Return the hardware of ``always_on.toml``, in its order.

    Raises
    ------
    ConfigError
        When the file is damaged.
    """
    table = read_toml(_FILE, "a table of hardware")
    if set(table) != {"schema_version", "hardware"} or table["schema_version"] != _SCHEMA_VERSION:
        message = f"{_FILE}: expected schema_version {_SCHEMA_VERSION} and hardware, found {sorted(table)}"
        raise ConfigError(message)
    found = []
    for entry in table["hardware"]:
        core = {"core_mw", "core_ma"} & set(entry)
        if len(core) != 1 or set(entry) - core - {"microphone_ma"} != {"title"}:
            message = f"{_FILE}: expected title, core_mw or core_ma, and perhaps microphone_ma, found {sorted(entry)}"
            raise ConfigError(message)
        (name,) = core
        microphone = entry.get("microphone_ma")
        found.append(
            AlwaysOnHardware(
                title=entry["title"],
                core=read_constant(f"{_FILE}: {name}", entry[name]),
                core_is_current=name == "core_ma",
                microphone_ma=None if microphone is None else read_constant(f"{_FILE}: microphone_ma", microphone),
            )
        )
    return found
