"""A device: battery, always-on side, processor, memory and radios, read from a TOML profile with a source a figure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from nowplaying_core.errors import ConfigError
from simulator.energy.constants import Constant, read_table, read_toml
from simulator.energy.figures import device_figure

__all__ = [
    "PUBLISHED",
    "Battery",
    "DeviceProfile",
    "Dsp",
    "Memory",
    "Processor",
    "Published",
    "Radio",
    "Sleep",
    "device_names",
]

_SCHEMA_VERSION = 3
_FOLDER = Path(__file__).resolve().parent / "devices"


@dataclass(frozen=True, kw_only=True, slots=True)
class Battery:
    """Charge in mAh and the voltage in V that turns charge into energy."""

    capacity_mah: float
    voltage_v: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Sleep:
    """Current of the sleeping device itself in mA, which it draws with or without music recognition."""

    suspend_ma: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Dsp:
    """The always-on side.

    Attributes
    ----------
    detector_ma : float, mA
        Extra stand-by current of microphone, features, detector and ring buffer together, with a network of
        ``reference_macs_per_s``.
    microphone_ma : float, mA
        The microphone's part of it.
    reference_macs_per_s : float, multiply-accumulates a second
    pj_per_mac : float, pJ
        What each further multiply-accumulate of a bigger network costs.
    """

    detector_ma: float
    microphone_ma: float
    reference_macs_per_s: float
    pj_per_mac: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Processor:
    """The application processor: what waking it costs, and how fast one of its cores computes.

    Attributes
    ----------
    resume_j, resume_s : float, J and s
        From suspend to a running core with the buffer, and back.
    service_s : float, s
        Of one core, around the answer: the service is scheduled, the notification drawn.
    active_ma, cluster_ma, core_ma : float, mA
        While any core runs, for its cluster, and for the core itself at the profile's clock.
    recording_ma : float, mA
        On top of ``active_ma`` while the processor itself records.
    int8_gmacs_per_s : float
        10^9 int8 multiply-accumulates a second of one core.
    float_gops_per_s : float
        10^9 float32 operations a second of one core, as in a Fourier transform.
    lookups_m_per_s : float
        10^6 table look-ups a second of one core, as when codes are scanned.
    """

    resume_j: float
    resume_s: float
    service_s: float
    active_ma: float
    cluster_ma: float
    core_ma: float
    recording_ma: float
    int8_gmacs_per_s: float
    float_gops_per_s: float
    lookups_m_per_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Energy of a byte from main memory or flash in pJ, and bytes read in GB/s."""

    pj_per_byte: float
    gb_per_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """Published energy of one wake-up in J, fingerprints and matching included, and published wake-ups a day."""

    wake_j: float
    wakes_per_day: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Radio:
    """One way to a server: powers in W, times in s, rates in Mbit/s."""

    promotion_s: float
    promotion_w: float
    base_w: float
    upload_w_per_mbps: float
    upload_mbps: float
    round_trip_s: float
    tail_s: float
    tail_w: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceProfile:
    """A device.

    Attributes
    ----------
    name, title : str
    battery, sleep, dsp, processor, memory : the parts of the device
    published : Published or None
        Only where somebody published the cost of a wake-up for this very device.
    radios : mapping of str to Radio
        "lte" and "wifi" on a phone; may be empty.
    constants : mapping of str to Constant
        Every figure under "part.name" with its range and source.
    """

    name: str
    title: str
    battery: Battery
    sleep: Sleep
    dsp: Dsp
    processor: Processor
    memory: Memory
    published: Published | None
    radios: Mapping[str, Radio]
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
            if not path.is_file():
                message = f"device: expected one of {', '.join(device_names())}, or a .toml file, found {str(source)!r}"
                raise ConfigError(message)
        return _profile(path, read_toml(path, "a device profile"))

    def with_constant(self, name: str, value: float) -> "DeviceProfile":
        """Return the device with one figure changed, such as ``"dsp.detector_ma"``.

        Raises
        ------
        ConfigError
            When there is no such figure, or no device can have this value.
        """
        if name not in self.constants:
            message = f"device {self.name}: expected one of {sorted(self.constants)}, found {name!r}"
            raise ConfigError(message)
        device_figure(name).check(f"device {self.name}: {name}", value)
        part, _, key = name.rpartition(".")
        constants = {**self.constants, name: self.constants[name].at(value)}
        if part.startswith("radio."):
            radio = part.removeprefix("radio.")
            changed = replace(self.radios[radio], **{key: value})
            return replace(self, radios={**self.radios, radio: changed}, constants=constants)
        return replace(self, **{part: replace(getattr(self, part), **{key: value})}, constants=constants)

    def milliwatts(self, current_ma: float) -> float:
        """Return the power of a current at the battery's voltage."""
        return current_ma * self.battery.voltage_v

    def mah(self, energy_mj: float) -> float:
        """Return the battery charge of an energy: 1 mAh is 3.6 C."""
        return energy_mj / (3600.0 * self.battery.voltage_v)

    def battery_percent(self, energy_mj: float) -> float:
        """Return an energy as percent of the full battery."""
        return self.battery_percent_of_mah(self.mah(energy_mj))

    def battery_percent_of_mah(self, charge_mah: float) -> float:
        """Return a charge as percent of the full battery."""
        return 100.0 * charge_mah / self.battery.capacity_mah

    def units_of_mah(self, charge_mah: float) -> dict[str, float]:
        """Return a charge a day as energy in J and mWh and as mean current in uA, at the battery's voltage."""
        mwh = charge_mah * self.battery.voltage_v
        return {"j_per_day": 3.6 * mwh, "mwh_per_day": mwh, "mean_ua": 1000.0 * charge_mah / 24.0}

    @property
    def core_w(self) -> float:
        """Power of one running core with all that must be on for it, in W."""
        processor = self.processor
        return self.milliwatts(processor.active_ma + processor.cluster_ma + processor.core_ma) / 1000.0

    def listening_mw(self, macs_per_s: float | None = None) -> float:
        """Return the power of the always-on side with a network of so many multiply-accumulates a second, in mW.

        Parameters
        ----------
        macs_per_s : float >= 0, optional
            By default those of the reference network. Never less than the microphone alone.
        """
        reference = self.dsp.reference_macs_per_s
        more_macs_per_s = 0.0 if macs_per_s is None else macs_per_s - reference
        network_mw = more_macs_per_s * self.dsp.pj_per_mac * 1e-9
        return max(
            self.milliwatts(self.dsp.detector_ma) + network_mw,
            self.milliwatts(min(self.dsp.microphone_ma, self.dsp.detector_ma)),
        )


def device_names() -> list[str]:
    """Return the names of the shipped profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


PUBLISHED = "published"
"""The optional table of a profile with what was published for this very device."""

_Part = TypeVar("_Part", Battery, Sleep, Dsp, Processor, Memory, Published, Radio)


def _profile(path: Path, table: dict[str, Any]) -> DeviceProfile:
    expected = {"battery", "sleep", "dsp", "processor", "memory", "schema_version", "name", "title"}
    if set(table) - {"radio", PUBLISHED} != expected:
        message = f"{path}: expected the keys {sorted(expected)} and perhaps radio and published, found {sorted(table)}"
        raise ConfigError(message)
    if table["schema_version"] != _SCHEMA_VERSION:
        message = f"{path}: expected schema_version {_SCHEMA_VERSION}, found {table['schema_version']!r}"
        raise ConfigError(message)
    radios, constants = table.get("radio", {}), dict[str, Constant]()
    if not isinstance(radios, Mapping):
        message = f"{path}: expected tables [radio.NAME], found radio = {radios!r}"
        raise ConfigError(message)

    def part(name: str, entries: Any, kind: type[_Part]) -> _Part:
        read = read_table(f"{path}: {name}", entries, {one.name for one in fields(kind)})
        for key, constant in read.items():
            figure = device_figure(f"{name}.{key}")
            figure.check(f"{path}: {name}.{key}", constant.low, constant.value, constant.high)
            constants[f"{name}.{key}"] = constant
        return kind(**{key: constant.value for key, constant in read.items()})

    return DeviceProfile(
        name=str(table["name"]),
        title=str(table["title"]),
        battery=part("battery", table["battery"], Battery),
        sleep=part("sleep", table["sleep"], Sleep),
        dsp=part("dsp", table["dsp"], Dsp),
        processor=part("processor", table["processor"], Processor),
        memory=part("memory", table["memory"], Memory),
        published=part(PUBLISHED, table[PUBLISHED], Published) if PUBLISHED in table else None,
        radios={name: part(f"radio.{name}", entries, Radio) for name, entries in radios.items()},
        constants=constants,
    )
