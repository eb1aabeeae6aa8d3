"""Current of the always-on detector, microphone included, where music plays, where other things sound, and in quiet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import SECOND_STAGE
from simulator.energy.work import DatabaseSize, Models

__all__ = ["AVERAGE_DAY", "DetectorCurrent", "current_table", "detector_current", "detector_currents"]

AVERAGE_DAY: Final = "average day"

_RANGED = ("dsp.detector_ma", "dsp.pj_per_mac")


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorCurrent:
    """Mean current at the battery's voltage while the detector listens.

    Attributes
    ----------
    runs_per_hour : float
        Of the second stage.
    parts_ma : dict of str to float
        By component: microphone, network of the first stage, features and buffer, second stage.
    low_ma, high_ma : float
        The sum with the profile's current and its energy of a multiply-accumulate at both ends of their ranges.
    """

    runs_per_hour: float
    parts_ma: dict[str, float]
    low_ma: float
    high_ma: float

    @property
    def total_ma(self) -> float:
        """Sum of the parts."""
        return sum(self.parts_ma.values())


def detector_current(device: DeviceProfile, models: Models, runs_per_hour: float) -> DetectorCurrent:
    """Return what a detector draws on a device while it listens.

    Parameters
    ----------
    device : DeviceProfile
    models : Models
    runs_per_hour : float >= 0
        Of the second stage.
    """
    low = high = device
    for name in _RANGED:
        constant = device.constants[name]
        if constant.has_range:
            low, high = low.with_constant(name, constant.low), high.with_constant(name, constant.high)
    ends = [sum(_parts_ma(one, models, runs_per_hour).values()) for one in (low, high)]
    return DetectorCurrent(
        runs_per_hour=runs_per_hour,
        parts_ma=_parts_ma(device, models, runs_per_hour),
        low_ma=ends[0],
        high_ma=ends[1],
    )


def detector_currents(
    device: DeviceProfile, models: Models, average_runs_per_hour: float, runs_per_hour: Mapping[str, float]
) -> dict[str, DetectorCurrent]:
    """Return what a detector draws on the average day, and where one kind of sound goes on without a pause.

    Parameters
    ----------
    device : DeviceProfile
    models : Models
    average_runs_per_hour : float >= 0
        Of the second stage, while the detector listens.
    runs_per_hour : mapping of str to float
        By kind of sound.

    Returns
    -------
    dict of str to DetectorCurrent
        ``AVERAGE_DAY`` first.
    """
    rates = {AVERAGE_DAY: average_runs_per_hour, **runs_per_hour}
    return {kind: detector_current(device, models, rate) for kind, rate in rates.items()}


def current_table(currents: Mapping[str, DetectorCurrent]) -> tuple[list[str], list[list[str]]]:
    """Return the headings and the rows of a table of what :func:`detector_currents` returns."""
    parts = next(iter(currents.values())).parts_ma
    rows = [
        [
            *(kind, f"{one.runs_per_hour:.0f}", *(f"{part:.3f}" for part in one.parts_ma.values())),
            *(f"{one.total_ma:.2f}", f"{one.low_ma:.2f} to {one.high_ma:.2f}"),
        ]
        for kind, one in currents.items()
    ]
    return ["mA while it listens", "second stage, runs/h", *parts, "in all", "range"], rows


def _parts_ma(device: DeviceProfile, models: Models, runs_per_hour: float) -> dict[str, float]:
    costs = CostModel.modelled(device, models, DatabaseSize())
    parts_mw = {**costs.listening_mw, SECOND_STAGE: costs.second_stage_mj * runs_per_hour / 3600}
    return {name: power_mw / device.milliwatts(1.0) for name, power_mw in parts_mw.items()}
