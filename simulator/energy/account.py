"""The costs of an app that listens on the main processor, for each shipped phone, for the Android app."""

from collections.abc import Callable
from typing import Any, Final

from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile, device_names
from simulator.energy.work import DatabaseSize, Models

__all__ = ["OTHER_PHONES", "app_account"]

OTHER_PHONES: Final = "phone-2026"
"""Profile of phones without one of their own."""

_SCHEMA_VERSION: Final = 1
# As Android's Build.MODEL names them; variants with another battery are not the profile's phone.
_BUILD_MODELS: Final = {"pixel-2": ["Pixel 2"], "pixel-3": ["Pixel 3"], "pixel-6": ["Pixel 6"], OTHER_PHONES: []}
_RECORDING: Final = ("processor.active_ma", "processor.recording_ma")
_ANSWER: Final = (
    "processor.service_s",
    "processor.active_ma",
    "processor.cluster_ma",
    "processor.core_ma",
)


def app_account(models: Models, database: DatabaseSize) -> dict[str, Any]:
    """Return the account of every phone that is shipped as a profile.

    Each cost has its value, and the values with all figures behind it at the low or at the high end of their ranges. An
    answer of an app wakes no sleeping processor, because the open microphone keeps it awake: what resuming costs is not
    in it.

    Returns
    -------
    dict
        ``devices``: name, title, Build.MODELs, ``battery_j`` in J, ``recording_mw`` in mW while the microphone is open,
        ``answer_j`` in J for each time that music is looked up.
    """
    devices = []
    for name in device_names():
        if name not in _BUILD_MODELS:
            continue  # no phone
        device = DeviceProfile.load(name)

        def _recording_mw(one: DeviceProfile) -> float:
            return CostModel.modelled(one, models, database).recording_mw

        def _answer_j(one: DeviceProfile) -> float:
            return CostModel.modelled(one, models, database).wake_j - one.processor.resume_j

        battery = device.battery
        devices.append(
            {
                "name": name,
                "title": device.title,
                "models": _BUILD_MODELS[name],
                "battery_j": round(3.6 * battery.capacity_mah * battery.voltage_v, 1),
                "recording_mw": _range(device, _recording_mw, _RECORDING),
                "answer_j": _range(device, _answer_j, _ANSWER),
            }
        )
    return {
        "schema_version": _SCHEMA_VERSION,
        "source": "nowplaying energy account",
        "n_songs": database.n_songs,
        "other": OTHER_PHONES,
        "devices": devices,
    }


def _range(device: DeviceProfile, cost: Callable[[DeviceProfile], float], figures: tuple[str, ...]) -> dict[str, float]:
    low = high = device
    for name in figures:
        constant = device.constants[name]
        low, high = low.with_constant(name, constant.low), high.with_constant(name, constant.high)
    ends = {"value": cost(device), "low": cost(low), "high": cost(high)}
    return {name: float(f"{value:.4g}") for name, value in ends.items()}
