"""What the phone made of a scene, sound by sound, against the script: the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulator.phone.events import Event, EventKind
from simulator.scenes.scene import Scene, Sound, SoundKind

__all__ = ["Outcome", "SceneResult", "score_scene"]

_OFFSET_TOLERANCE_S = 1.0  # the step of the database's fingerprints


class Outcome(StrEnum):
    """What became of a sound."""

    RECOGNIZED = "recognized"
    RIGHTLY_UNKNOWN = "rightly unknown"
    IGNORED = "ignored"
    NOT_LISTENED = "not listened to"
    WOKE_FOR_NOTHING = "woke for nothing"
    MISSED = "missed"
    MISPLACED = "right song, wrong place"
    WRONG = "wrong"

    @property
    def is_right(self) -> bool:
        """Whether the phone did what it should; waking for nothing costs energy but tells nobody anything false."""
        return self not in {Outcome.MISSED, Outcome.MISPLACED, Outcome.WRONG}


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneResult:
    """What became of one sound of a scene.

    Attributes
    ----------
    sound : Sound
    outcome : Outcome
    answers : sequence of Event
        The recognitions and unknowns that it caused.
    delay_s : float or None
        From its first note to the name.
    expected_offset_s, found_offset_s : float or None
        Where in the song the buffer of the first answer began.
    """

    sound: Sound
    outcome: Outcome
    answers: Sequence[Event]
    delay_s: float | None = None
    expected_offset_s: float | None = None
    found_offset_s: float | None = None


def score_scene(scene: Scene, events: Sequence[Event], track_ids: Mapping[str, str]) -> list[SceneResult]:
    """Compare a phone's answers with a scene.

    Parameters
    ----------
    scene : Scene
    events : sequence of Event
        All that the phone told while it heard the scene.
    track_ids : mapping of str to str
        Track ids of the recordings that its database holds; other music should come out as unknown.

    Returns
    -------
    list of SceneResult
        One per sound, in the order of their starts. A name is right only with an offset within a second.
    """
    answers = [event for event in events if event.kind.is_answer]
    causes = [_cause(scene, event) for event in answers]
    sounds = sorted(scene.sounds, key=lambda sound: sound.start_s)
    return [
        _score_sound(scene, sound, [a for a, cause in zip(answers, causes, strict=True) if cause is sound], track_ids)
        for sound in sounds
    ]


def _cause(scene: Scene, event: Event) -> Sound | None:
    """Return the sound that fills most of an answer's buffer, music before anything else."""
    end_s = float(event.data["asked_at_s"])
    start_s = end_s - float(event.data["buffer_s"])

    def overlap_s(sound: Sound) -> float:
        return min(sound.end_s, end_s) - max(sound.start_s, start_s)

    heard = [sound for sound in scene.sounds if overlap_s(sound) > 0]
    return max(heard, key=lambda sound: (sound.kind is SoundKind.MUSIC, overlap_s(sound)), default=None)


def _score_sound(scene: Scene, sound: Sound, answers: list[Event], track_ids: Mapping[str, str]) -> SceneResult:
    named = [event for event in answers if event.kind is EventKind.RECOGNIZED]
    expected_id = track_ids.get(sound.recording) if sound.kind is SoundKind.MUSIC else None
    if expected_id is not None and named:
        first = named[0]
        expected_offset_s = first.data["asked_at_s"] - first.data["buffer_s"] - sound.start_s + sound.offset_s
        is_right = all(event.data["track_id"] == expected_id for event in named)
        is_placed = abs(first.data["offset_s"] - expected_offset_s) <= _OFFSET_TOLERANCE_S
        placed = Outcome.RECOGNIZED if is_placed else Outcome.MISPLACED
        return SceneResult(
            sound=sound,
            outcome=placed if is_right else Outcome.WRONG,
            answers=answers,
            delay_s=first.time_s - sound.start_s,
            expected_offset_s=expected_offset_s,
            found_offset_s=float(first.data["offset_s"]),
        )
    if named:
        outcome = Outcome.WRONG
    elif any(one.start_s <= sound.start_s and sound.end_s <= one.end_s for one in scene.conditions if not one.daily):
        outcome = Outcome.NOT_LISTENED
    elif expected_id is not None:
        outcome = Outcome.MISSED
    elif not answers:
        outcome = Outcome.IGNORED
    elif sound.kind is SoundKind.MUSIC:
        outcome = Outcome.RIGHTLY_UNKNOWN
    else:
        outcome = Outcome.WOKE_FOR_NOTHING
    return SceneResult(sound=sound, outcome=outcome, answers=answers)
