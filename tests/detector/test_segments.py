import numpy as np
import pytest

from detector.segments import Detector, Segment, segments_of_track
from detector.stream import Decision, StreamingDetector
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import to_float32, to_int16
from nowplaying_core.errors import AudioFormatError
from tests.detector.sounds import noise
from tests.synthesis import song


def track_of(*probabilities: float) -> list[Decision]:
    return [Decision(2.24 + 0.64 * i, p) for i, p in enumerate(probabilities)]


def find(track: list[Decision], duration_s: float = 20.0, **options: float) -> list[Segment]:
    settings = {"window": 1, "enter_threshold": 0.8, "leave_threshold": 0.4, **options}
    return segments_of_track(track, duration_s=duration_s, **settings)


def test_hysteresis_keeps_a_stretch_whole_that_reaches_the_upper_threshold() -> None:
    (segment,) = find(track_of(0.1, 0.5, 0.9, 0.5, 0.5, 0.1))
    assert segment.start_s == pytest.approx(2.24 + 0.64 - 0.32)
    assert segment.end_s == pytest.approx(2.24 + 4 * 0.64 + 0.32)
    assert segment.probability == pytest.approx(0.6)


def test_a_stretch_that_never_reaches_it_is_dropped() -> None:
    assert find(track_of(0.1, 0.7, 0.7, 0.1)) == []


def test_first_and_last_decisions_stand_for_the_edges() -> None:
    (segment,) = find(track_of(0.9, 0.9, 0.9), duration_s=9.0)
    assert (segment.start_s, segment.end_s) == (0.0, 9.0)


def test_average_bridges_a_dip() -> None:
    track = track_of(1, 1, 1, 0, 1, 1, 1)
    assert len(find(track, window=1)) == 2
    assert len(find(track, window=3, enter_threshold=0.6)) == 1


@pytest.fixture(scope="module")
def detector() -> StreamingDetector:
    return StreamingDetector.from_model(SHIPPED_DETECTOR)


def test_music_between_noise_is_found_about_where_it_is(detector: StreamingDetector) -> None:
    quiet = noise(3, 20.0, level=0.003)
    music = np.concatenate([song(4, 15.0), song(4, 15.0)])
    segments = Detector(detector).detect(np.concatenate([quiet, music, quiet]))
    assert len(segments.times_s) > 90
    longest = max(segments, key=lambda segment: segment.end_s - segment.start_s)
    assert longest.start_s == pytest.approx(20.0, abs=5.0)
    assert longest.end_s == pytest.approx(50.0, abs=5.0)


@pytest.mark.parametrize("n_samples", [1, 100, 479, 16_000, 71_519, 71_679, 71_680, 71_681])
def test_any_length_gives_a_decision_within_the_recording(detector: StreamingDetector, n_samples: int) -> None:
    samples = noise(2, 6.0)[:n_samples]
    segments = Detector(detector).detect(samples)
    assert len(segments.times_s) == 1
    assert 0 <= segments.times_s[0] <= n_samples / 16_000
    assert all(0 <= s.start_s <= s.end_s <= n_samples / 16_000 for s in segments)


def test_an_array_alone_is_read_as_one_with_its_rate(detector: StreamingDetector) -> None:
    samples = to_float32(to_int16(noise(2, 6.0)))
    expected = Detector(detector).detect((samples, 16_000)).probabilities
    for same in (samples, samples.astype(np.float64), to_int16(samples), np.stack([samples, samples], axis=1)):
        np.testing.assert_array_equal(Detector(detector).detect(same).probabilities, expected)
    samples[7] = np.nan
    with pytest.raises(AudioFormatError, match="sample 7 "):
        Detector(detector).detect(samples)


def test_no_samples_no_music(detector: StreamingDetector) -> None:
    found = Detector(detector).detect(np.zeros(0, dtype=np.float32))
    assert (len(found), len(found.probabilities)) == (0, 0)
