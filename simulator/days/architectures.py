"""Architectures: the baseline, a detector on the DSP that wakes a recognizer, and alternatives on the same days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from detector.network import DECISION_S
from simulator.energy.costs import CostModel
from simulator.phone.config import PhoneConfig
from simulator.phone.events import ANSWER, RECHECK

__all__ = ["Architecture", "architectures_for", "baseline"]

_WAKING_MICROPHONE_MA = 0.02
_ON_S, _PERIOD_S = 8.0, 30.0
_SECOND_LOOK_MACS = 8 * 69e6
_LEFT_OUT_WHEN_AWAKE = ("resume and suspend", "service and notification")


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """An architecture.

    Attributes
    ----------
    name, title, source : str
        The source states the origin of its own figures.
    period_s : float or None, seconds
        From one recognition to the next, where a clock and no detector starts them.
    other_passing, music_passing : float in [0, 1]
        Shares of other sounds and of music that a second look on the processor passes on to the recognizer.
    recheck_s : float >= 0, seconds
        How long a second look takes.
    costs : CostModel
        On the device.
    buffer_s : float, seconds
        Of sound that the recognizer gets.
    duty_s : pair of float or None, seconds
        How long the detector is on, of each period of how long.
    """

    name: str
    title: str
    source: str = ""
    period_s: float | None = None
    other_passing: float = 1.0
    music_passing: float = 1.0
    recheck_s: float = 0.0
    costs: CostModel
    buffer_s: float = 8.0
    duty_s: tuple[float, float] | None = None

    @property
    def records_on_processor(self) -> bool:
        """Whether the processor records by itself, because there is no always-on side."""
        return self.period_s is not None

    @property
    def answers_on_device(self) -> bool:
        """Whether a detector wakes the processor, and the processor answers by itself."""
        return self.period_s is None and "radio" not in self.costs.latency_parts_s

    def configured(self, config: PhoneConfig) -> PhoneConfig:
        """Return the loop's settings for this architecture."""
        if self.period_s is None:
            # Each look sends the buffer where a server answers: it is asked once, with the most music.
            return config if self.answers_on_device else replace(config, early_looks_s=())
        gate = replace(config.gate, cool_down_s=max(0.0, self.period_s - self.buffer_s), back_off_factor=1.0)
        return replace(config, gate=gate, captures_afresh=True, skips_same_song=False, early_looks_s=())


def baseline(costs: CostModel) -> Architecture:
    """Return the baseline: a detector on the DSP wakes the recognizer."""
    return Architecture(name="baseline", title="detector on the DSP, then the recognizer", costs=costs)


def architectures_for(costs: CostModel) -> Mapping[str, Architecture]:
    """Return the architectures for a device by name; servers only where it has the radio, stages only where it has two.

    Parameters
    ----------
    costs : CostModel
        Modelled ones of the device.
    """
    found = [
        baseline(costs),
        _with_second_look("second-look", "baseline with a second look before the recognizer", costs),
        Architecture(
            name="vad-microphone",
            title="baseline behind a microphone that wakes for sound",
            costs=costs.sleeping_in_quiet(_WAKING_MICROPHONE_MA),
            source="a microphone with acoustic-activity detection draws about 0.02 mA until something sounds (from "
            "memory, M); assumption: it wakes for every sound in time, and the quiet time is that of the scenes",
        ),
        Architecture(
            name="duty-cycled",
            title=f"baseline on for {_ON_S:g} of each {_PERIOD_S:g} s",
            duty_s=(_ON_S, _PERIOD_S),
            costs=costs.duty_cycled(_ON_S / _PERIOD_S, 8.0),
            source="assumption: the DSP starts and stops at no cost; the features settle while it is on, which was "
            "not measured",
        ),
        *_second_stage_alone(costs),
        Architecture(
            name="always-on",
            title="recognizer always on, on the processor",
            period_s=8.0,
            costs=_never_asleep(costs),
            source="the processor records without a break and looks up each eight seconds",
        ),
        Architecture(
            name="every-minute",
            title="recognizer every minute, no detector",
            period_s=60.0,
            costs=costs.without_listening(),
            source="the processor wakes, records eight seconds and looks them up",
        ),
        Architecture(
            name="every-five-minutes",
            title="recognizer every five minutes, no detector",
            period_s=300.0,
            costs=costs.without_listening(),
            source="the processor wakes, records eight seconds and looks them up",
        ),
    ]
    for radio, title in (("lte", "LTE"), ("wifi", "Wi-Fi")):
        if radio in costs.device.radios:
            found += [
                Architecture(
                    name=f"server-{radio}",
                    title=f"detector on the DSP, then a server over {title}",
                    costs=costs.asking_server(radio),
                    source="each wake-up sends the whole buffer; the server is assumed to answer as well as the phone",
                ),
                _with_second_look(
                    f"second-look-{radio}", f"a second look, then a server over {title}", costs.asking_server(radio)
                ),
            ]
    return {one.name: one for one in found}


def _second_stage_alone(costs: CostModel) -> list[Architecture]:
    """Return what the first stage spares: the second run all the time; nothing for a detector of one stage."""
    if not costs.second_stage_mj:
        return []
    alone = Architecture(
        name="second-stage-alone",
        title="detector's second stage run all the time, without a first",
        costs=costs.with_second_stage_alone(1 / DECISION_S),
        source="assumption: it runs every 0.64 s while anything sounds and finds what both stages find together, as "
        "measured on streams (docs/experiments.md, A second stage)",
    )
    return [alone]


def _with_second_look(name: str, title: str, costs: CostModel) -> Architecture:
    processor = costs.device.processor
    return Architecture(
        name=name,
        title=title,
        source="assumption: a YAMNet-sized network (69 million multiply-accumulates a second of sound) stops nine of "
        "ten false wake-ups and two of a hundred true ones",
        other_passing=0.1,
        music_passing=0.98,
        recheck_s=processor.resume_s + _SECOND_LOOK_MACS / (1e9 * processor.int8_gmacs_per_s),
        costs=costs.rechecking(_SECOND_LOOK_MACS),
    )


def _never_asleep(costs: CostModel) -> CostModel:
    parts = {name: mj for name, mj in costs.wake_mj[ANSWER].items() if name not in _LEFT_OUT_WHEN_AWAKE}
    wake_mj = {ANSWER: parts, RECHECK: {}}
    latency = {name: s for name, s in costs.latency_parts_s.items() if name != "resume"}
    return replace(costs.without_listening(), wake_mj=wake_mj, latency_parts_s=latency)
