"""What a run of the simulated phone found: its events, its energy, and both in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from detector.gate import GateConfig
from nowplaying_core.text import clock, counted, html_table
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.usage import LISTENING, Usage
from simulator.phone.events import Answered, Event, MusicProbability
from simulator.phone.history import history_of
from simulator.provenance import Provenance
from simulator.scenes.score_scene import SceneResult

__all__ = ["LEAST_MEAN_S", "SimulationResult"]

LEAST_MEAN_S = 1.0
"""A shorter run has no mean current."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationResult:
    """The events of a run, and its energy.

    Attributes
    ----------
    source : str
        Name of the source, for titles.
    duration_s, wall_s : float, seconds
        Length of the sound, and how long the simulation took.
    events : sequence of Event
    usage : Usage
    published : CostModel or None
        With the published cost of a wake-up; None where none was published for the device.
    modelled : CostModel
        With the one modelled from the work of the models and the matcher.
    gate : GateConfig
        Of the phone.
    provenance : Provenance
    remarks : sequence of str
        What a reader must know about the inputs.
    scene_results : sequence of SceneResult
        One for each sound, where the source was a scene.

    Examples
    --------
    >>> import nowplaying
    >>> result = nowplaying.simulate("music.npdb", "query.wav")
    >>> result.findings()[:2]
    ['1 song named in 0:20.0 of sound.', '1 wake-up of the processor: 1 named a song, 0 did not.']
    """

    source: str
    duration_s: float
    wall_s: float
    events: Sequence[Event]
    usage: Usage
    published: CostModel | None
    modelled: CostModel
    gate: GateConfig
    provenance: Provenance
    remarks: Sequence[str] = ()
    scene_results: Sequence[SceneResult] = ()

    @property
    def device(self) -> DeviceProfile:
        """The device whose energy is counted."""
        return self.modelled.device

    @property
    def recognitions(self) -> list[Answered]:
        """The answers that name a song."""
        return [one for one in self.events if isinstance(one, Answered) and one.answer.match is not None]

    def _repr_html_(self) -> str:
        songs = [(one, one.match) for one in self.recognitions]
        rows = [
            (clock(one.time_s), song.title, song.artist, clock(song.offset_s), f"{song.score:.3f}")
            for one, song in songs
            if song is not None
        ]
        return html_table(("time", "title", "artist", "at", "score"), rows, numbers=(0, 3, 4))

    def findings(self) -> list[str]:
        """Return the findings in words, the most important first."""
        usage, device, elapsed_s = self.usage, self.device, self.usage.elapsed_s
        n_early = usage.n_early_looks
        total_mj, songs = usage.total_mj(self.modelled), history_of(self.events)
        n_named = len(self.recognitions)
        sentences = [
            f"{counted(len(songs), 'song')} named in {clock(elapsed_s)} of sound.",
            f"{counted(usage.n_wakes, 'wake-up')} of the processor: {n_named} named a song, "
            f"{usage.n_wakes - n_named} did not" + (f", after {counted(n_early, 'early look')}." if n_early else "."),
            f"{total_mj / 1000:.2f} J of energy ({device.mah(total_mj):.3f} mAh, {total_mj / 3600:.3f} mWh), "
            f"{device.battery_percent(total_mj):.4f} % of the battery ({device.title}).",
        ]
        if total_mj and elapsed_s >= LEAST_MEAN_S:
            listening = usage.always_on_mj(self.modelled)
            sentences.append(
                f"{100 * listening / total_mj:.0f} % of it was always on, whatever sounded; the mean current was "
                f"{1e6 * total_mj / 1000 / elapsed_s / device.battery.voltage_v:.0f} uA."
            )
        return sentences

    def to_dict(self) -> dict[str, Any]:
        """Return the result as one JSON object, without the probability track."""
        parts_mj = self.usage.by_cause_mj(self.modelled)
        energy_mj = {
            "listening": parts_mj[LISTENING],
            "wakes": sum(parts_mj.values()) - parts_mj[LISTENING],
            "total": sum(parts_mj.values()),
            "total_published": None if self.published is None else self.usage.total_mj(self.published),
        }
        components_mj = self.usage.by_component_mj(self.modelled)
        return {
            "provenance": self.provenance.to_dict(),
            "findings": self.findings(),
            "remarks": list(self.remarks),
            "source": self.source,
            "duration_s": round(self.duration_s, 3),
            "times_real_time": round(self.duration_s / max(self.wall_s, 1e-9), 1),
            "n_wakes": self.usage.n_wakes,
            "n_early_looks": self.usage.n_early_looks,
            "n_songs": len(history_of(self.events)),
            "energy_mj": {name: None if value is None else round(value, 3) for name, value in energy_mj.items()},
            "battery_percent": self.device.battery_percent(energy_mj["total"] or 0.0),
            "components_mj": {name: round(value, 3) for name, value in components_mj.items()},
            "device": self.device.name,
            "events": [event.to_dict() for event in self.events if not isinstance(event, MusicProbability)],
        }
