"""The measuring instruments: a wrong ruler is worse than none."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from evaluation.retrieval import rooms
from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import Condition, standard_conditions
from evaluation.retrieval.queries import Plan, Query, draw_plan
from evaluation.retrieval.report import to_markdown
from evaluation.retrieval.retrieval import evaluate_retrieval
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.audio import SAMPLE_RATE_HZ, to_int16
from nowplaying_core.audio.mixing import band_rms
from nowplaying_core.errors import ConfigError
from tests.synthesis import song


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    return song(60, 20.0)


def make_query(start_s: float = 5.0) -> Query:
    return Query(path=Path("a"), start_s=start_s, noise=0, noise_start=0.3, simulated_room=0, measured_room=0)


def make_plan(noise: np.ndarray, room: np.ndarray | None = None) -> Plan:
    response = room if room is not None else np.ones(1, np.float32)
    return Plan(queries=(make_query(),), noises=(noise,), rooms={"simulated": (response,), "measured": (response,)})


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0])
@pytest.mark.parametrize("length_s", [2.0, 8.0])
def test_noise_is_added_at_the_stated_ratio(
    music: np.ndarray, rng: np.random.Generator, snr_db: float, length_s: float
) -> None:
    noise = (0.02 * rng.standard_normal(5 * SAMPLE_RATE_HZ)).astype(np.float32)
    condition = Condition(length_s=length_s, snr_db=snr_db, mulaw=False)
    composed = compose(make_query(), music, condition, make_plan(noise))
    clean = music[5 * SAMPLE_RATE_HZ :][: composed.size]
    # Level is free: find the gain that leaves the least, and the rest is the noise.
    gain = float(composed @ clean / (clean @ clean))
    ratio_db = 20 * np.log10(band_rms(gain * clean) / band_rms(composed - gain * clean))
    assert ratio_db == pytest.approx(snr_db, abs=0.5)
    assert composed.size == length_s * SAMPLE_RATE_HZ


def test_a_room_rings_from_before_the_excerpt(music: np.ndarray) -> None:
    """A room that is a pure delay of half a second brings in what was played half a second earlier."""
    room = np.zeros(SAMPLE_RATE_HZ, np.float32)
    room[SAMPLE_RATE_HZ // 2] = 1.0
    condition = Condition(length_s=2.0, room="simulated", mulaw=False)
    composed = compose(make_query(), music, condition, make_plan(music, room))
    earlier = music[round(4.5 * SAMPLE_RATE_HZ) :][: composed.size]
    assert np.corrcoef(composed, earlier)[0, 1] > 0.999


def test_phone_band_and_mulaw(music: np.ndarray) -> None:
    plan = make_plan(music)
    plain = compose(make_query(), music, Condition(mulaw=False), plan)
    band = compose(make_query(), music, Condition(mulaw=False, phone_band=True), plan)
    stored = compose(make_query(), music, Condition(), plan)
    spectrum = np.abs(np.fft.rfft(band)) ** 2
    frequencies_hz = np.fft.rfftfreq(band.size, 1 / SAMPLE_RATE_HZ)
    assert spectrum[frequencies_hz > 5000].sum() < 0.01 * spectrum.sum()
    assert len(np.unique(to_int16(stored))) <= 256
    assert np.corrcoef(plain, stored)[0, 1] > 0.99
    assert np.sqrt(np.mean(plain**2)) == pytest.approx(0.1, rel=0.3)


def test_plans_repeat_and_share_recordings_fairly(rng: np.random.Generator) -> None:
    recordings = {Path(name): song(number, 12.0) for number, name in enumerate("abc")}
    recordings[Path("short")] = song(9, 3.0)
    noise = [rng.standard_normal(8000).astype(np.float32)]
    plans = [draw_plan(recordings, noise, {}, 9, np.random.default_rng(1)) for _ in range(2)]
    assert plans[0].queries == plans[1].queries
    assert sorted(query.path.name for query in plans[0].queries) == list("aaabbbccc")
    assert all(1.0 <= query.start_s <= 4.0 for query in plans[0].queries)


def test_silent_places_are_avoided(rng: np.random.Generator) -> None:
    half_silent = np.concatenate([np.zeros(20 * SAMPLE_RATE_HZ, np.float32), song(9, 20.0)])
    plan = draw_plan({Path("a"): half_silent}, [half_silent], {}, 10, rng)
    assert all(query.start_s >= 19.0 for query in plan.queries)


def test_a_recording_without_eight_audible_seconds_has_no_query(rng: np.random.Generator) -> None:
    blip = np.concatenate([song(9, 3.0), np.zeros(20 * SAMPLE_RATE_HZ, np.float32)])
    recordings = {Path("blip"): blip, Path("song"): song(8, 20.0)}
    plan = draw_plan(recordings, [blip], {}, 6, rng)
    assert {query.path.name for query in plan.queries} == {"song"}
    assert plan.silent == (Path("blip"),)
    with pytest.raises(ConfigError, match="that sound"):
        draw_plan({Path("blip"): blip}, [blip], {}, 6, rng)


def test_another_sound_comes_first_and_is_as_loud(music: np.ndarray, rng: np.random.Generator) -> None:
    plan = make_plan(rng.standard_normal(4 * SAMPLE_RATE_HZ).astype(np.float32))
    plain, late = (
        compose(make_query(), music, Condition(other_s=other_s, mulaw=False), plan) for other_s in (0.0, 2.0)
    )
    n = 2 * SAMPLE_RATE_HZ
    gain = float(late[n:] @ plain[n:]) / float(plain[n:] @ plain[n:])
    np.testing.assert_allclose(late[n:], gain * plain[n:], atol=1e-5)
    assert abs(float(np.corrcoef(late[:n], plain[:n])[0, 1])) < 0.1
    assert band_rms(late[:n]) ** 2 == pytest.approx(band_rms(late[n:]) ** 2, rel=0.05)
    with pytest.raises(ConfigError, match="other_s"):
        Condition(length_s=2.0, other_s=2.0)


def test_the_standard_table() -> None:
    names = [condition.name for condition in standard_conditions()]
    assert len(set(names)) == len(names) == 15
    for name in ("clean, 8 s", "0 dB, room, 8 s", "5 dB, 2 s", "0 dB, measured room, 8 s"):
        assert name in names


@pytest.mark.parametrize("options", [{"length_s": 0.0}, {"length_s": 9.0}, {"room": "cave"}])
def test_conditions_out_of_range(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Condition(**options)  # type: ignore[arg-type]


def test_decay_time_of_a_known_decay(rng: np.random.Generator) -> None:
    for t60_s in (0.2, 0.5, 0.8):
        time_s = np.arange(round(1.5 * t60_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        response = rng.standard_normal(time_s.size) * 10 ** (-3 * time_s / t60_s)
        assert rooms.measure_t60(response) == pytest.approx(t60_s, rel=0.05)
    with pytest.raises(ConfigError, match="decay of 35 dB"):
        rooms.measure_t60(np.ones(1000))


def test_the_committed_rooms_are_a_hundred_and_differ() -> None:
    committed = rooms.load_dev_rooms()
    assert [sum(room.t60_target_s == target for room in committed) for target in rooms.T60_TARGETS_S] == [20] * 5
    assert len({room.size_m for room in committed}) == 100
    assert all(abs(room.t60_s - room.t60_target_s) <= rooms.T60_TOLERANCE_S for room in committed)


def test_committed_rooms_measure_what_they_say() -> None:
    pytest.importorskip("pyroomacoustics")
    committed = rooms.load_dev_rooms()
    for room in (committed[0], committed[30], committed[-1]):
        response = rooms.room_response(room)
        assert rooms.measure_t60(response) == pytest.approx(room.t60_s, abs=0.005)
        assert np.sum(response.astype(np.float64) ** 2) == pytest.approx(1.0, abs=1e-4)


def test_the_whole_evaluation_runs_and_repeats(corpus: Path, tmp_path: Path) -> None:
    model = builtin_model_dir(SHIPPED_FINGERPRINTER)
    (corpus / "rir").mkdir()
    soundfile.write(corpus / "rir" / "plate.wav", np.exp(-np.arange(800) / 80), SAMPLE_RATE_HZ)
    (corpus / "rir.tsv").write_text("file\tsplit\tkind\nplate.wav\tdev\tplate\n")
    # There is no measured room among the responses, so that the last condition is left out.
    conditions = [Condition(snr_db=10.0), Condition(length_s=2.0), Condition(snr_db=0.0, room="measured")]
    (result, calibration), (again, _) = (
        evaluate_retrieval(
            model, corpus, tmp_path / "cache", conditions=conditions, n_queries=9, n_unknown=4, n_sounds=3, seed=2
        )
        for _ in range(2)
    )
    assert result == again
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["n_songs"], result["n_queries"], result["n_tracks"]) == (7, 9, 3)
    assert result["known"][0]["rank1"]["rate"] >= 8 / 9
    assert {row["queries"] for row in result["false_accepts"]} == {"unknown music", "masked music", "speech", "noise"}
    assert "| 10 dB, 8 s |" in to_markdown(result)
    measured = result["reliability"]
    assert [row["condition"] for row in measured] == ["10 dB, 8 s", "clean, 2 s", "all of them"]
    assert [(row["n_known"], row["n_unknown"]) for row in measured] == [(9, 4), (9, 4), (18, 8)]
    assert f"| all of them | 18 | 8 | {measured[-1]['brier']:.4f} |" in to_markdown(result)
    assert len(result["half_acceptances"]) == 2
    assert result["half_acceptances"][0]["coefficients"] != result["half_acceptances"][1]["coefficients"]
    table = calibration.to_dict()
    n_known = table["calibration"]["n_known"]
    assert n_known == sum(row["rank1"]["count"] for row in result["known"])
    # Masked and unknown music under both conditions, speech and noise of either length, and what was right for nobody.
    assert table["calibration"]["n_unknown"] == (18 - n_known) + 18 + 8 + 12
    assert table["calibration"]["n_drones"] == 18
    assert 0.5 <= table["threshold"] <= 1
