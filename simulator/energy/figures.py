"""Names in words, units and possible ranges of the figures that a device profile or the days state."""

from dataclasses import dataclass
from typing import Final

from nowplaying_core.errors import ConfigError

__all__ = ["DEVICE_FIGURES", "Figure", "device_figure"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that somebody may state.

    Attributes
    ----------
    title, unit : str
        As a reader knows it.
    least, most : float
        Beyond these no device or day can be; a value outside is a slip of the decimal point or of the unit.
    """

    title: str
    unit: str
    least: float
    most: float

    def check(self, where: str, *values: float) -> None:
        """Refuse values that cannot be.

        Raises
        ------
        ConfigError
            When one is out of the range; names the range.
        """
        for value in values:
            if not self.least <= value <= self.most:
                unit = f" {self.unit}" if self.unit else ""
                message = (
                    f"{where}: expected the {self.title} to be from {self.least:g} to {self.most:g}{unit}, "
                    f"found {value:g}{unit}"
                )
                raise ConfigError(message)


DEVICE_FIGURES: Final = {
    "battery.capacity_mah": Figure("battery capacity", "mAh", 1, 100_000),
    "battery.voltage_v": Figure("battery voltage", "V", 0.8, 15),
    "sleep.suspend_ma": Figure("current of the sleeping device itself", "mA", 0, 1000),
    "dsp.detector_ma": Figure("current of microphone, features and detector together", "mA", 0, 500),
    "dsp.microphone_ma": Figure("current of the microphone", "mA", 0, 50),
    "dsp.reference_macs_per_s": Figure("work of the network in that current", "MAC/s", 0, 1e12),
    "dsp.pj_per_mac": Figure("energy of a multiply-accumulate on the always-on side", "pJ", 0, 1e6),
    "processor.resume_j": Figure("waking and suspending the processor", "J", 0, 100),
    "processor.resume_s": Figure("time from suspend to a running core", "s", 0, 60),
    "processor.service_s": Figure("time of one core for service and notification", "s", 0, 60),
    "processor.active_ma": Figure("extra current while any core runs", "mA", 0, 5000),
    "processor.cluster_ma": Figure("extra current of the core's cluster", "mA", 0, 5000),
    "processor.core_ma": Figure("extra current of one running core", "mA", 0, 10_000),
    "processor.recording_ma": Figure("extra current while the processor records", "mA", 0, 5000),
    "processor.int8_gmacs_per_s": Figure("int8 speed of one core", "GMAC/s", 1e-6, 10_000),
    "processor.float_gops_per_s": Figure("float speed of one core", "GFLOP/s", 1e-6, 10_000),
    "processor.lookups_m_per_s": Figure("table look-ups of one core", "million/s", 1e-3, 1e6),
    "memory.pj_per_byte": Figure("energy of a byte from memory", "pJ", 0, 1e6),
    "memory.gb_per_s": Figure("speed of memory", "GB/s", 1e-6, 10_000),
    "published.wake_j": Figure("published energy of a wake-up", "J", 0, 1000),
    "published.wakes_per_day": Figure("published wake-ups a day", "", 0, 86_400),
}
_RADIO_FIGURES: Final = {
    "promotion_s": Figure("time to wake the radio", "s", 0, 60),
    "promotion_w": Figure("power while the radio wakes", "W", 0, 20),
    "base_w": Figure("power of the active radio", "W", 0, 20),
    "upload_w_per_mbps": Figure("power of sending", "W per Mbit/s", 0, 20),
    "upload_mbps": Figure("upload rate", "Mbit/s", 1e-3, 10_000),
    "round_trip_s": Figure("time from the last byte to the answer", "s", 0, 60),
    "tail_s": Figure("time until the radio sleeps again", "s", 0, 120),
    "tail_w": Figure("power until the radio sleeps again", "W", 0, 20),
}


def device_figure(name: str) -> Figure:
    """Return the figure of a name in a profile, such as ``"dsp.detector_ma"`` or ``"radio.lte.tail_s"``.

    Raises
    ------
    KeyError
        When there is none.
    """
    part, _, key = name.rpartition(".")
    if part.startswith("radio."):
        figure, radio = _RADIO_FIGURES[key], part.removeprefix("radio.")
        title = f"{ {'lte': 'LTE', 'wifi': 'Wi-Fi'}.get(radio, radio) }: {figure.title}"
        return Figure(title, figure.unit, figure.least, figure.most)
    return DEVICE_FIGURES[name]
