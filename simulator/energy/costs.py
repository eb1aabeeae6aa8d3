"""Cost models: power while listening and energy of a wake-up, as published for Now Playing or modelled from work."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.radio import request_j, request_s
from simulator.energy.work import (
    BUFFER_BYTES,
    AnswerTimes,
    DatabaseSize,
    Models,
    Work,
    answer_times,
    work_of_answer,
)
from simulator.phone.events import ANSWER, RECHECK

__all__ = ["DAY_S", "CostModel"]

DAY_S = 86_400.0


@dataclass(frozen=True, kw_only=True, slots=True)
class CostModel:
    """Power while listening and energy of a wake-up, by component.

    Attributes
    ----------
    device : DeviceProfile
    title : str
    listening_mw : mapping of str to float >= 0, mW
        By component, while the DSP is on.
    wake_mj : mapping of str to mapping of str to float >= 0, mJ
        By kind of wake-up (``ANSWER`` or ``RECHECK``) and component.
    recording_mw : float >= 0, mW
        While the processor itself records.
    latency_parts_s : mapping of str to float >= 0, seconds
        The parts of ``answer_s``.
    quiet_mw : mapping of str to float >= 0, mW, or None
        By component of ``listening_mw`` where nothing sounds; None is the same power.
    second_stage_mj : float >= 0, mJ
        Of one run of the detector's second stage on the DSP.
    capture_mj : float >= 0, mJ
        Of an always-on side that is on for a buffer's sake, once for a wake-up: after an early look the same buffer
        fills on.
    """

    device: DeviceProfile
    title: str
    listening_mw: Mapping[str, float]
    wake_mj: Mapping[str, Mapping[str, float]]
    recording_mw: float
    latency_parts_s: Mapping[str, float]
    quiet_mw: Mapping[str, float] | None = None
    second_stage_mj: float = 0.0
    capture_mj: float = 0.0

    @property
    def answer_s(self) -> float:
        """From the full buffer to the name on the screen, in s."""
        return sum(self.latency_parts_s.values())

    @property
    def wake_j(self) -> float:
        """Energy of a wake-up that ends in an answer, in J."""
        return sum(self.wake_mj[ANSWER].values()) / 1000

    @property
    def total_listening_mw(self) -> float:
        """Power of the always-on side."""
        return sum(self.listening_mw.values())

    @classmethod
    def published(cls, device: DeviceProfile, models: Models, database: DatabaseSize) -> "CostModel | None":
        """Return the published costs: the profile's current while listening, and its energy of one wake-up.

        None where nobody published the cost of a wake-up for this device.

        Models and database matter for the latency only.
        """
        if device.published is None:
            return None
        modelled = cls.modelled(device, models, database)
        wake_mj = 1000 * device.published.wake_j
        return replace(
            modelled,
            title="published cost of a wake-up",
            listening_mw={"detector": device.listening_mw()},
            second_stage_mj=0.0,  # the published system has one stage
            wake_mj={kind: {"wake-up": wake_mj} for kind in (ANSWER, RECHECK)},
        )

    @classmethod
    def modelled(
        cls,
        device: DeviceProfile,
        models: Models,
        database: DatabaseSize,
        latencies: PhoneLatencies | None = None,
    ) -> "CostModel":
        """Return costs from the work of the models and the matcher and the device's throughput and currents."""
        work = work_of_answer(models, database)
        times = answer_times(device, work)
        if latencies is not None:
            times = latencies.applied_to(times, models)
        total_mw = device.listening_mw(models.detector_macs_per_s)
        microphone_mw = min(device.milliwatts(device.dsp.microphone_ma), total_mw)
        network_mw = min(models.detector_macs_per_s * device.dsp.pj_per_mac * 1e-9, total_mw - microphone_mw)
        listening = {
            "microphone": microphone_mw,
            "detector network": network_mw,
            "features and buffer": total_mw - microphone_mw - network_mw,
        }
        processor = device.processor
        answer = _waking(device) | _computing(device, times, work)
        return cls(
            device=device,
            title="modelled cost of a wake-up",
            listening_mw=listening,
            wake_mj={ANSWER: answer, RECHECK: _waking(device)},
            recording_mw=device.milliwatts(processor.active_ma + processor.recording_ma),
            latency_parts_s={
                "resume": processor.resume_s,
                "front end": times.front_end_s,
                "encoder": times.encoder_s,
                "matching": times.match_s + times.memory_s,
                "service and notification": processor.service_s,
            },
            second_stage_mj=models.second_stage_macs * device.dsp.pj_per_mac * 1e-9,
        )

    def day_mah(self, n_wakes: float) -> float:
        """Return the charge of a day in mAh, with the detector on all day and a number of wake-ups."""
        return self.device.mah(self.total_listening_mw * DAY_S + 1000.0 * n_wakes * self.wake_j)

    def asking_server(self, radio: str) -> "CostModel":
        """Return costs with the matching done by a server: the whole buffer is sent over a radio.

        Raises
        ------
        KeyError
            When the device has no such radio.
        """
        link = self.device.radios[radio]
        answer = _waking(self.device) | {"radio": 1000 * request_j(link, BUFFER_BYTES)}
        parts = self.latency_parts_s
        kept = {name: parts[name] for name in ("resume", "service and notification")}
        return replace(
            self,
            wake_mj={**self.wake_mj, ANSWER: answer},
            latency_parts_s=kept | {"radio": request_s(link, BUFFER_BYTES)},
        )

    def rechecking(self, macs: float) -> "CostModel":
        """Return costs with a second, bigger detector on the processor before each answer.

        Parameters
        ----------
        macs : float >= 0
            Multiply-accumulates of the second look.
        """
        seconds = macs / (1e9 * self.device.processor.int8_gmacs_per_s)
        look = {"second look": 1000 * self.device.core_w * seconds}
        recheck = _waking(self.device) | look
        return replace(
            self,
            wake_mj={
                ANSWER: {**self.wake_mj[ANSWER], **look},
                RECHECK: recheck,
            },
            latency_parts_s={**self.latency_parts_s, "second look": seconds},
        )

    def at_wake_j(self, wake_j: float) -> "CostModel":
        """Return costs with another energy of every wake-up, in J."""
        parts = {"wake-up": 1000 * wake_j}
        return replace(self, wake_mj={ANSWER: parts, RECHECK: parts})

    def sleeping_in_quiet(self, microphone_ma: float) -> "CostModel":
        """Return costs with a microphone that wakes the DSP when something sounds, and its current until then."""
        quiet_mw = dict.fromkeys(self.listening_mw, 0.0)
        return replace(self, quiet_mw={**quiet_mw, "microphone": self.device.milliwatts(microphone_ma)})

    def with_second_stage_alone(self, runs_per_s: float) -> "CostModel":
        """Return costs of a detector whose second stage runs so often where it sounds, and which has no first stage."""
        rest_mw = {name: power_mw for name, power_mw in self.listening_mw.items() if name != "detector network"}
        network_mw = {"detector network": self.second_stage_mj * runs_per_s}
        return replace(self, listening_mw=rest_mw | network_mw, quiet_mw=rest_mw, second_stage_mj=0.0)

    def duty_cycled(self, share: float, capture_s: float) -> "CostModel":
        """Return costs with an always-on side that is on for a share of the time, and while a buffer fills."""
        return replace(
            self,
            listening_mw={name: share * power_mw for name, power_mw in self.listening_mw.items()},
            second_stage_mj=share * self.second_stage_mj,
            capture_mj=(1 - share) * self.total_listening_mw * capture_s,
        )

    def without_listening(self) -> "CostModel":
        """Return costs of a phone without an always-on side."""
        return replace(self, listening_mw={}, second_stage_mj=0.0)


def _waking(device: DeviceProfile) -> dict[str, float]:
    return {
        "resume and suspend": 1000 * device.processor.resume_j,
        "service and notification": 1000 * device.core_w * device.processor.service_s,
    }


def _computing(device: DeviceProfile, times: AnswerTimes, work: Work) -> dict[str, float]:
    return {
        "front end": 1000 * device.core_w * times.front_end_s,
        "encoder": 1000 * device.core_w * times.encoder_s,
        "matching": 1000 * device.core_w * (times.match_s + times.memory_s),
        "memory": 1e-9 * device.memory.pj_per_byte * work.n_bytes,
    }
