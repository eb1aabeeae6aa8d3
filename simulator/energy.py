"""Where the energy goes: an account that is kept per state of the phone and always adds up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from nowplaying.errors import ConfigError
from simulator.device import DeviceProfile
from simulator.events import Event, EventKind, State

__all__ = ["EnergyAccount", "day_mah", "lte_request_j", "modelled_wake_j", "wifi_request_j"]

_DAY_S = 86_400.0
_BUFFER_MBIT = 128_000 * 8 / 1e6


@dataclass(slots=True)
class EnergyAccount:
    """Energy spent on music recognition, in millijoules per state.

    Attributes
    ----------
    device : DeviceProfile
    by_state_mj : dict of State to float >= 0
        The detector's share of each state, and the wake-ups under ``RECOGNIZING``.
    duration_s : dict of State to float >= 0
    n_wakes : int >= 0
    wakes_mj : float >= 0
        Energy of the wake-ups alone.

    Notes
    -----
    The sleeping phone's own current is not part of it: it flows with or without music recognition (see `floor_mah`).
    """

    device: DeviceProfile
    by_state_mj: dict[State, float] = field(default_factory=lambda: dict.fromkeys(State, 0.0))
    duration_s: dict[State, float] = field(default_factory=lambda: dict.fromkeys(State, 0.0))
    n_wakes: int = 0
    wakes_mj: float = 0.0

    def stay(self, state: State, duration_s: float) -> None:
        """Spend time in a state; the DSP draws its current unless it is off.

        Raises
        ------
        ConfigError
            When time runs backwards.
        """
        if not duration_s >= 0:
            message = f"energy account: expected a duration >= 0 s in state {state}, found {duration_s}"
            raise ConfigError(message)
        self.duration_s[state] += duration_s
        if state.dsp_is_on:
            self.by_state_mj[state] += self.device.milliwatts(self.device.dsp.detector_ma) * duration_s

    def wake(self, energy_j: float | None = None) -> None:
        """Wake the application processor once, at the published cost unless another is given."""
        energy_j = self.device.wake.published_j if energy_j is None else energy_j
        if not energy_j >= 0:
            message = f"energy account: expected a wake-up of >= 0 J, found {energy_j}"
            raise ConfigError(message)
        self.n_wakes += 1
        self.wakes_mj += 1000.0 * energy_j
        self.by_state_mj[State.RECOGNIZING] += 1000.0 * energy_j

    @classmethod
    def of_events(
        cls, events: Iterable[Event], device: DeviceProfile, *, models_wakes: bool = False
    ) -> "EnergyAccount":
        """Keep the account of a phone's events.

        Parameters
        ----------
        events : iterable of Event
            In order of time, as `Phone.run` yields them.
        device : DeviceProfile
        models_wakes : bool
            Whether a wake-up costs what `modelled_wake_j` makes of its measured compute time, not the published 2.0 J.
        """
        account = cls(device)
        state, since_s = State.OFF, 0.0
        for event in events:
            if event.kind is EventKind.STATE:
                account.stay(state, event.time_s - since_s)
                state, since_s = State(event.data["to"]), event.time_s
            elif event.kind in {EventKind.RECOGNIZED, EventKind.UNKNOWN}:
                compute_s = float(event.data["latency_ms"]) / 1000.0
                account.wake(modelled_wake_j(device, compute_s) if models_wakes else None)
        return account

    @property
    def total_mj(self) -> float:
        """All energy spent on music recognition."""
        return sum(self.by_state_mj.values())

    @property
    def detector_mj(self) -> float:
        """Energy of the always-on side alone."""
        on_s = sum(seconds for state, seconds in self.duration_s.items() if state.dsp_is_on)
        return self.device.milliwatts(self.device.dsp.detector_ma) * on_s

    @property
    def elapsed_s(self) -> float:
        """Time on the account, in all states."""
        return sum(self.duration_s.values())

    @property
    def total_mah(self) -> float:
        """All energy as battery charge."""
        return self.device.mah(self.total_mj)

    @property
    def battery_percent(self) -> float:
        """All energy as percent of the full battery."""
        return self.device.battery_percent(self.total_mj)

    @property
    def floor_mah(self) -> float:
        """Charge that the sleeping phone itself drew in the same time; not part of the total."""
        return self.device.phone.suspend_ma * self.elapsed_s / 3600.0


def day_mah(device: DeviceProfile, n_wakes: float, wake_j: float | None = None, listening_s: float = _DAY_S) -> float:
    """Return the charge of a day in mAh: the detector all day, and so many wake-ups.

    Parameters
    ----------
    device : DeviceProfile
    n_wakes : float >= 0
    wake_j : float >= 0, optional
        Energy of one wake-up; the published one by default.
    listening_s : float in [0, 86400], seconds
        How long the detector is on.
    """
    wake_j = device.wake.published_j if wake_j is None else wake_j
    detector_mj = device.milliwatts(device.dsp.detector_ma) * listening_s
    return device.mah(detector_mj + 1000.0 * n_wakes * wake_j)


def modelled_wake_j(device: DeviceProfile, compute_s: float) -> float:
    """Return the energy of a wake-up from the compute time of fingerprints and matching.

    Resume and hand-over, then one core and its cluster at the profile's clock for the compute time, stretched by how
    much slower that core is than the machine that measured it.

    Parameters
    ----------
    device : DeviceProfile
    compute_s : float >= 0, seconds
        As measured on a desktop core.
    """
    if not compute_s >= 0:
        message = f"modelled wake-up: expected a compute time >= 0 s, found {compute_s}"
        raise ConfigError(message)
    wake = device.wake
    power_w = device.milliwatts(wake.cpu_active_ma + wake.cluster_ma + wake.core_ma) / 1000.0
    return wake.resume_j + power_w * compute_s * wake.slower_than_desktop


def lte_request_j(device: DeviceProfile) -> float:
    """Return the radio energy of sending one buffer to a server over LTE: promotion, upload, and the long tail.

    References
    ----------
    Huang et al., "A close examination of performance and power characteristics of 4G LTE networks", MobiSys 2012.
    """
    lte = device.server_lte
    upload_s = _BUFFER_MBIT / lte.upload_mbps
    upload_w = lte.base_w + lte.upload_w_per_mbps * lte.upload_mbps
    return lte.promotion_s * lte.promotion_w + upload_s * upload_w + (lte.inactivity_s + lte.tail_s) * lte.tail_w


def wifi_request_j(device: DeviceProfile) -> float:
    """Return the radio energy of sending one buffer to a server over Wi-Fi."""
    wifi = device.server_wifi
    return wifi.active_w * (wifi.active_s + wifi.tail_s)
