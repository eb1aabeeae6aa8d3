"""From measured currents to a device profile: traces of a power meter as CSV, and what their differences mean."""

import csv
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.errors import ConfigError, unreadable
from nowplaying_core.text import printable
from simulator.energy.constants import Constant
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.figures import device_figure
from simulator.energy.work import DatabaseSize, Models

__all__ = ["Measurement", "Trace", "calibrated", "profile_text"]

_TIME_UNITS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
_CURRENT_UNITS: Final = {"a": 1e3, "ma": 1.0, "ua": 1e-3, "na": 1e-6}
_N_BLOCKS = 20
_LEAST_SAMPLES = 2 * _N_BLOCKS
_LEAST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Trace:
    """Current of a whole device over time.

    Attributes
    ----------
    name : str
        Of the file.
    time_s, current_ma : ndarray of float64, shape (n,)
        Times ascend; between them the current is a straight line.
    """

    name: str
    time_s: NDArray[np.float64]
    current_ma: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> "Trace":
        """Read a CSV file whose head states the units, such as ``time_s,current_ma`` or ``Timestamp(ms),Current(uA)``.

        Raises
        ------
        ConfigError
            When it cannot be read, a unit is missing, a cell is no number, times do not ascend or samples are too few.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as handle:
                head, *rows = [row for row in csv.reader(handle) if row]
        except (OSError, ValueError, csv.Error) as error:
            message = f"{path}: expected a trace of current in CSV"
            raise unreadable(message, error) from error
        time_column, time_factor = _column(path, head, "time", _TIME_UNITS)
        current_column, current_factor = _column(path, head, "current", _CURRENT_UNITS)
        try:
            time_s = np.array([float(row[time_column]) for row in rows]) * time_factor
            current_ma = np.array([float(row[current_column]) for row in rows]) * current_factor
        except (ValueError, IndexError) as error:
            message = f"{path}: expected a number for time and current in each row ({error})"
            raise ConfigError(message) from error
        if len(time_s) < _LEAST_SAMPLES or not np.isfinite(current_ma).all() or not (np.diff(time_s) > 0).all():
            message = f"{path}: expected at least {_LEAST_SAMPLES} finite samples whose times ascend"
            raise ConfigError(message)
        return cls(path.name, time_s, current_ma)

    @property
    def duration_s(self) -> float:
        """From the first to the last sample."""
        return float(self.time_s[-1] - self.time_s[0])

    def mean_ma(self) -> tuple[float, float]:
        """Return the mean current and its standard error, from twenty parts of equal length in time."""
        charge = np.concatenate(
            [[0.0], np.cumsum(np.diff(self.time_s) * (self.current_ma[1:] + self.current_ma[:-1]) / 2)]
        )
        edges = np.linspace(self.time_s[0], self.time_s[-1], _N_BLOCKS + 1)
        parts = np.diff(np.interp(edges, self.time_s, charge)) / np.diff(edges)
        return float(charge[-1] / self.duration_s), float(parts.std(ddof=1) / _N_BLOCKS**0.5)


def _column(path: Path, head: list[str], wanted: str, units: dict[str, float]) -> tuple[int, float]:
    names = {"time": r"time|timestamp|t", "current": r"current|main|i|arc main"}[wanted]
    for index, cell in enumerate(head):
        found = re.fullmatch(rf"(?:{names})[ _]*[(\[]?([a-zµμ]+)[)\]]?", cell.strip().lower())
        unit = found[1].replace("µ", "u").replace("μ", "u") if found else ""
        if unit in units:
            return index, units[unit]
    message = f"{path}: expected a column for the {wanted} with its unit ({', '.join(units)}), such as time_s and "
    raise ConfigError(message + f"current_ma; found {head}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """Traces of one device in three conditions, at the battery's terminals.

    Attributes
    ----------
    asleep, listening, answering : Trace
        Without the recognizer; with the detector on and nothing to hear; with the detector on while it wakes
        the processor ``n_answers`` times.
    n_answers : int >= 5
    voltage_v : float, V
        That the meter supplied.
    """

    asleep: Trace
    listening: Trace
    answering: Trace
    n_answers: int
    voltage_v: float

    def __post_init__(self) -> None:
        device_figure("battery.voltage_v").check("voltage", self.voltage_v)
        if self.n_answers < _LEAST_ANSWERS:
            message = f"calibration: expected at least {_LEAST_ANSWERS} answers in a trace, found {self.n_answers}"
            raise ConfigError(message)

    def suspend(self) -> Constant:
        """Return the current of the sleeping device in mA."""
        return _measured(*self.asleep.mean_ma(), f"mean of {self.asleep.name}")

    def detector(self) -> Constant:
        """Return the extra current while the detector listens in mA."""
        return _difference(self.listening, self.asleep, 1.0)

    def wake(self) -> Constant:
        """Return the energy of a wake-up beyond listening in J."""
        joules_per_ma = 1e-3 * self.voltage_v * self.answering.duration_s / self.n_answers
        return _difference(self.answering, self.listening, joules_per_ma)


def _difference(more: Trace, less: Trace, factor: float) -> Constant:
    (high, high_error), (low, low_error) = more.mean_ma(), less.mean_ma()
    difference, error = high - low, (high_error**2 + low_error**2) ** 0.5
    if difference < -1.96 * error:
        message = (
            f"{more.name} draws {-difference:.4g} mA less than {less.name}, where it should draw more: "
            "are the traces in each other's place?"
        )
        raise ConfigError(message)
    if difference <= 1.96 * error:
        message = (
            f"{more.name} and {less.name} differ by {difference:.4g} mA, with a standard error of {error:.2g} mA: "
            "no more than noise; measure for longer, or with fewer other wake-ups of the device"
        )
        raise ConfigError(message)
    return _measured(factor * difference, factor * error, f"mean of {more.name} less that of {less.name}")


def _measured(value: float, error: float, source: str) -> Constant:
    margin = 1.96 * error
    text = f"measured: {source}; the range is its 95 % interval"
    return Constant(value=value, low=max(0.0, value - margin), high=value + margin, source=text, certainty="P")


def calibrated(
    base: DeviceProfile, measurement: Measurement, models: Models, database: DatabaseSize, *, name: str, title: str
) -> DeviceProfile:
    """Return a profile with measured currents, whose modelled wake-up costs what was measured.

    What no trace can part stays as the base states it: the computing follows from its throughputs and currents, and
    waking and suspending get the rest of the measured energy.

    Parameters
    ----------
    base : DeviceProfile
        Of a device as alike as there is.
    measurement : Measurement
    models, database
        That ran on the device.
    name, title : str

    Raises
    ------
    ConfigError
        When traces differ by noise only, or the base's computing alone costs more than the measured wake-up.
    """
    suspend, detector, wake = measurement.suspend(), measurement.detector(), measurement.wake()
    voltage = Constant(
        value=measurement.voltage_v,
        low=measurement.voltage_v,
        high=measurement.voltage_v,
        source="voltage at which the currents were measured",
        certainty="P",
    )
    work = models.detector_macs_per_s
    reference = Constant(
        value=work, low=work, high=work, source="the network that ran in the measurement", certainty="P"
    )
    changed = {
        "battery.voltage_v": voltage,
        "sleep.suspend_ma": suspend,
        "dsp.detector_ma": detector,
        "dsp.reference_macs_per_s": reference,
    }
    device = replace(_with(base, changed), name=name, title=title, published=None)
    computing_j = CostModel.modelled(device.with_constant("processor.resume_j", 0.0), models, database).wake_j
    rest_j = wake.value - computing_j
    if rest_j < 0:
        message = (
            f"calibration: a measured wake-up costs {wake.value:.3g} J, but computing alone {computing_j:.3g} J by "
            f"{base.title}; start from a profile of a faster or thriftier processor"
        )
        raise ConfigError(message)
    resume = Constant(
        value=rest_j,
        low=max(0.0, wake.low - computing_j),
        high=wake.high - computing_j,
        source=f"{wake.source}, over {measurement.n_answers} answers: {wake.value:.4g} J a wake-up, less "
        f"{computing_j:.4g} J of computing",
        certainty="P",
    )
    return _with(device, {"processor.resume_j": resume})


def _with(device: DeviceProfile, changed: dict[str, Constant]) -> DeviceProfile:
    for name, constant in changed.items():
        device = device.with_constant(name, constant.value)
    return replace(device, constants={**device.constants, **changed})


def profile_text(device: DeviceProfile) -> str:
    """Return a profile as the TOML that `DeviceProfile.load` reads."""
    kept = {name: one for name, one in device.constants.items() if not name.startswith("published.")}
    parts: dict[str, list[str]] = {}
    for name, one in kept.items():
        part, _, key = name.rpartition(".")
        ends = f", low = {one.low!r}, high = {one.high!r}" if one.has_range else ""
        entry = (
            f'{key} = {{ value = {one.value!r}{ends}, certainty = "{one.certainty}", source = {_text(one.source)} }}'
        )
        parts.setdefault(part, []).append(entry)
    head = ["schema_version = 3", f"name = {_text(device.name)}", f"title = {_text(device.title)}"]
    tables = [f"[{part}]\n" + "\n".join(entries) for part, entries in parts.items()]
    return "\n".join(head) + "\n\n" + "\n\n".join(tables) + "\n"


def _text(text: str) -> str:
    """Return a text in TOML, which JSON is but for surrogates and the character 127."""
    return json.dumps(printable(text), ensure_ascii=False).replace("\x7f", "\\u007f")
