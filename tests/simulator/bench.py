"""Small deterministic stand-ins for the two models, so that the loop is tested and not the networks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.gate import GateConfig
from detector.stream import Decision, StreamingDetector
from nowplaying_core.audio import to_float32
from ondevice_db.answer import Match, Recognition
from ondevice_db.format.track import Track
from ondevice_db.recognizer import Recognizer
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.work import DatabaseSize, Models
from simulator.phone.conditions import Condition, PhoneConditions
from simulator.phone.config import PhoneConfig
from simulator.phone.events import Answered, Event
from simulator.phone.phone import Phone

Samples = NDArray[np.float32]
RATE_HZ = 16_000
WINDOW_SAMPLES = 446 * 160
HOP_SAMPLES = 64 * 160


class LoudnessDetector(StreamingDetector):
    """Calls loud sound music: P is the loud share of the last 4.46 s, every 640 ms, as the real detector's clock."""

    def __init__(self) -> None:
        self.n_resets = 0
        self.second_stage = None
        self.reset()

    def reset(self) -> None:
        self.n_resets += 1
        self._loud: list[NDArray[np.bool_]] = []
        self._n_missing = WINDOW_SAMPLES
        self._n_seen = 0

    def process_pcm(self, pcm: NDArray[np.int16]) -> list[Decision]:
        samples, decisions = to_float32(pcm), []
        while len(samples) >= self._n_missing:
            self._loud.append(np.abs(samples[: self._n_missing]) > 0.05)
            self._n_seen += self._n_missing
            samples = samples[self._n_missing :]
            window = np.concatenate(self._loud)[-WINDOW_SAMPLES:]
            decisions.append(Decision(self._n_seen / RATE_HZ, float(window.mean())))
            self._loud = [window]
            self._n_missing = HOP_SAMPLES
        self._loud.append(np.abs(samples) > 0.05)
        self._n_seen += len(samples)
        self._n_missing -= len(samples)
        return decisions


@dataclass
class ScriptedRecognizer(Recognizer):
    """Gives its answers in turn, the last one for ever, and keeps the buffers it was given."""

    answers: list[Recognition]
    buffers: list[Samples] = field(default_factory=list)

    def recognize(self, samples: Samples, at_s: float | None = None) -> Recognition:
        self.buffers.append(samples)
        return self.answers[min(len(self.buffers), len(self.answers)) - 1]


MODELS = Models(
    detector_macs_per_s=200_000.0,
    encoder_macs=30e6,
    model_bytes=1e6,
    front_end_ops=1.9e6,
)


def build_costs(device: str = "pixel-2") -> tuple[CostModel, CostModel]:
    """Return published and modelled costs of a small phone."""
    profile, size = DeviceProfile.load(device), DatabaseSize(n_songs=1000)
    return CostModel.published(profile, MODELS, size), CostModel.modelled(profile, MODELS, size)


@dataclass
class Bench:
    """A phone on the bench with all that was put into it."""

    phone: Phone
    detector: LoudnessDetector
    recognizer: ScriptedRecognizer

    def listen(self, samples: Samples, chunk_samples: int = 4000) -> list[Event]:
        chunks = (samples[i : i + chunk_samples] for i in range(0, len(samples), chunk_samples))
        return list(self.phone.run(chunks))


def make_sound(*parts: tuple[float, float]) -> Samples:
    """Return seconds of square wave at a level: (seconds, level), ..."""
    waves = [np.full(round(seconds * RATE_HZ), level, np.float32) for seconds, level in parts]
    sound = np.concatenate(waves)
    sound[1::2] *= -1
    return sound


def answers_of(events: Sequence[Event]) -> list[Answered]:
    return [event for event in events if isinstance(event, Answered)]


def known_song(name: str, offset_s: float = 10.0, duration_s: float = 40.0) -> Recognition:
    """Return a recognizer's answer for a song called after a letter."""
    track = Track(
        track_id=16 * name, title=f"Song {name}", artist="Nobody", duration_s=duration_s, source=f"{name}.wav"
    )
    song = Match(track=track, offset_s=offset_s, score=0.9)
    return Recognition(match=song, latency_ms=40.0, n_fingerprints=12)


def unknown_song() -> Recognition:
    """Return a recognizer's answer for music outside its database."""
    return Recognition(match=None, latency_ms=40.0, n_fingerprints=12)


def build_bench(
    *answers: Recognition,
    conditions: Sequence[Condition] = (),
    cool_down_s: float = 60.0,
    answer_s: float = 0.0,
    back_off_factor: float = 1.0,
    longest_rest_s: float = 600.0,
    **settings: float | tuple[float, ...] | None,
) -> Bench:
    gate = GateConfig(
        window=3,
        enter_threshold=0.6,
        leave_threshold=0.4,
        consecutive_hits=2,
        cool_down_s=cool_down_s,
        back_off_factor=back_off_factor,
        longest_rest_s=longest_rest_s,
    )
    detector, recognizer = LoudnessDetector(), ScriptedRecognizer(list(answers))
    # One look at each wake-up and rests that last, unless a test asks for more.
    settings = {"early_looks_s": (), "rest_ends_after_gap_s": None} | settings
    config = PhoneConfig(gate=gate, **settings)  # type: ignore[arg-type]
    phone = Phone(detector, recognizer, config, PhoneConditions(conditions), answer_s=answer_s)
    return Bench(phone, detector, recognizer)
