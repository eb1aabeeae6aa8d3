"""Score a run against its scene: the script is the truth, and each of its sounds has an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulator.phone.events import Answered, Event
from simulator.scenes.scene import Scene, Sound, SoundKind

__all__ = ["Outcome", "SceneResult", "score_scene"]

_OFFSET_TOLERANCE_S = 1.0  # the step of the database's fingerprints


class Outcome(StrEnum):
    """Outcome of a sound."""

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
        """Whether the phone named no wrong song and missed none; a needless wake-up only costs energy."""
        return self not in {Outcome.MISSED, Outcome.MISPLACED, Outcome.WRONG}


@dataclass(frozen=True, kw_only=True, slots=True)
class SceneResult:
    """Outcome of one sound of a scene.

    Attributes
    ----------
    sound : Sound
    outcome : Outcome
    answers : sequence of Answered
        Answers that the sound caused.
    delay_s : float or None
        From its start to the name.
    expected_offset_s, found_offset_s : float or None
        Position in the song of the first answer's buffer start.
    """

    sound: Sound
    outcome: Outcome
    answers: Sequence[Answered]
    delay_s: float | None = None
    expected_offset_s: float | None = None
    found_offset_s: float | None = None


def score_scene(scene: Scene, events: Sequence[Event], track_ids: Mapping[str, str]) -> list[SceneResult]:
    """Compare a phone's answers with a scene.

    Parameters
    ----------
    scene : Scene
    events : sequence of Event
        Of the phone during the scene.
    track_ids : mapping of str to str
        Track ids of the recordings that its database holds; other music should come out as unknown.

    Returns
    -------
    list of SceneResult
        One per sound, in the order of their starts. A name is right only with an offset within a second.
    """
    answers = [event for event in events if isinstance(event, Answered)]
    causes = [_cause(scene, event) for event in answers]
    sounds = sorted(scene.sounds, key=lambda sound: sound.start_s)
    return [
        _score_sound(scene, sound, [a for a, cause in zip(answers, causes, strict=True) if cause is sound], track_ids)
        for sound in sounds
    ]


def _cause(scene: Scene, event: Answered) -> Sound | None:
    """Return the sound that fills most of an answer's buffer, music before anything else."""
    end_s = event.asked_at_s
    start_s = end_s - event.answer.buffer_s

    def overlap_s(sound: Sound) -> float:
        return min(sound.end_s, end_s) - max(sound.start_s, start_s)

    audible = [sound for sound in scene.sounds if overlap_s(sound) > 0]
    return max(audible, key=lambda sound: (sound.kind is SoundKind.MUSIC, overlap_s(sound)), default=None)


def _score_sound(scene: Scene, sound: Sound, answers: list[Answered], track_ids: Mapping[str, str]) -> SceneResult:
    named = [(event, event.answer.match) for event in answers if event.answer.match is not None]
    expected_id = track_ids.get(sound.recording) if sound.kind is SoundKind.MUSIC else None
    if expected_id is not None and named:
        first, match = named[0]
        expected_offset_s = first.asked_at_s - first.answer.buffer_s - sound.start_s + sound.offset_s
        is_right = all(one.track.track_id == expected_id for _, one in named)
        is_placed = abs(match.offset_s - expected_offset_s) <= _OFFSET_TOLERANCE_S
        placed = Outcome.RECOGNIZED if is_placed else Outcome.MISPLACED
        return SceneResult(
            sound=sound,
            outcome=placed if is_right else Outcome.WRONG,
            answers=answers,
            delay_s=first.time_s - sound.start_s,
            expected_offset_s=expected_offset_s,
            found_offset_s=match.offset_s,
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
