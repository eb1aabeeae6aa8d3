"""Scores of a run against its scene: right names at right places, and nothing else."""

import dataclasses

import pytest

from ondevice_db.answer import Match
from ondevice_db.format.track import Track
from simulator.phone.conditions import Condition, PauseReason
from simulator.phone.events import Answer, Answered
from simulator.scenes.scene import Scene, Sound, SoundKind
from simulator.scenes.score_scene import Outcome, score_scene

SONG = Sound(recording="a", kind=SoundKind.MUSIC, label="music", start_s=20.0, duration_s=30.0, offset_s=5.0)
OTHER = dataclasses.replace(SONG, recording="stranger", start_s=60.0)
TALK = Sound(recording="talk", kind=SoundKind.SPEECH, label="talking", start_s=0.0, duration_s=25.0)
SCENE = Scene(name="test", title="test", duration_s=100.0, sounds=(SONG, OTHER, TALK))
KNOWN = {"a": 16 * "a", "b": 16 * "b"}


def _named(time_s: float, letter: str, offset_s: float) -> Answered:
    song = Match(track=Track(track_id=16 * letter), offset_s=offset_s, score=0.9)
    return Answered(time_s=time_s, asked_at_s=time_s, answer=Answer(buffer_s=8.0, match=song))


def _unknown(time_s: float) -> Answered:
    return Answered(time_s=time_s, asked_at_s=time_s, answer=Answer(buffer_s=8.0))


def _outcomes(*events: Answered) -> dict[str, Outcome]:
    return {one.sound.recording: one.outcome for one in score_scene(SCENE, events, KNOWN)}


def test_a_right_name_at_the_right_place() -> None:
    # The buffer began at 22 s, two seconds into what began five seconds into the song.
    scene_results = score_scene(SCENE, [_named(30.0, "a", 7.1), _unknown(70.0)], KNOWN)
    assert [one.sound.recording for one in scene_results] == ["talk", "a", "stranger"]
    talk, song, other = scene_results
    assert (song.outcome, song.delay_s, song.expected_offset_s, song.found_offset_s) == (
        Outcome.RECOGNIZED,
        10.0,
        7.0,
        7.1,
    )
    assert other.outcome is Outcome.RIGHTLY_UNKNOWN
    assert talk.outcome is Outcome.IGNORED
    assert all(one.outcome.is_right for one in scene_results)


@pytest.mark.parametrize(
    ("event", "recording", "outcome"),
    [
        (_named(30.0, "b", 7.0), "a", Outcome.WRONG),
        (_named(30.0, "a", 8.2), "a", Outcome.MISPLACED),
        (_named(70.0, "a", 7.0), "stranger", Outcome.WRONG),
        (_named(12.0, "a", 7.0), "talk", Outcome.WRONG),
        (_unknown(12.0), "talk", Outcome.WOKE_FOR_NOTHING),
        (_unknown(30.0), "a", Outcome.MISSED),
    ],
)
def test_wrong_answers(event: Answered, recording: str, outcome: Outcome) -> None:
    assert _outcomes(event)[recording] is outcome


def test_no_answer_misses_the_known_song_and_ignores_the_stranger() -> None:
    assert _outcomes() == {"a": Outcome.MISSED, "stranger": Outcome.IGNORED, "talk": Outcome.IGNORED}
    assert not Outcome.MISSED.is_right
    assert not Outcome.WRONG.is_right


def test_a_sound_during_a_pause_is_not_listened_to() -> None:
    playback = Condition(reason=PauseReason.OWN_PLAYBACK, start_s=19.0, end_s=51.0)
    scene = dataclasses.replace(SCENE, conditions=(playback,))
    outcomes = {one.sound.recording: one.outcome for one in score_scene(scene, [], KNOWN)}
    assert outcomes["a"] is Outcome.NOT_LISTENED


def test_a_buffer_with_speech_and_music_is_caused_by_the_music() -> None:
    # Six seconds of talking and one of music in the buffer.
    assert _outcomes(_named(26.0, "a", 3.0))["a"] is Outcome.RECOGNIZED
