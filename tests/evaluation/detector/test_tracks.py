from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.gate import Gate, GateConfig
from detector.training.pools import SoundPools
from evaluation.detector.roc import det_curve, window_area, window_counts
from evaluation.detector.stream_metrics import room_tone_metrics, stream_metrics
from evaluation.detector.streams import Part, Region, compose_room_tone, compose_stream
from evaluation.detector.tracks import GRACE_S, StreamTrack, entries, false_triggers, found_regions
from nowplaying_core.audio import rms_dbfs
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.statistics import area_under_roc
from tests.detector.sounds import corpus_folder
from tests.detector.test_gate import configs


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> SoundPools:
    root = corpus_folder(tmp_path_factory.mktemp("corpus"))
    return SoundPools.from_sources(TrainingSources(corpus=root, cache_dir=root / "cache"), "dev")


def region(start_s: float, end_s: float, snr_db: float = 10.0, **changes: object) -> Region:
    plain = Region(
        start_s=start_s, end_s=end_s, snr_db=snr_db, level_dbfs=-20.0, behind="rain", onset_class="rhythmic", title="x"
    )
    return replace(plain, **changes)


def made_track(seed: int, *, skill: int = 120) -> StreamTrack:
    """Two regions in ten minutes; outputs are noise, higher in music by ``skill``."""
    rng = np.random.default_rng(seed)
    times_s = 4.48 + 0.64 * np.arange(900)
    regions = (region(100.0, 130.0, source="band"), region(300.0, 330.0, 0.0, onset_class="sustained"))
    inside = sum(((times_s > one.start_s + 3) & (times_s < one.end_s + 2)).astype(int) for one in regions)
    outputs = np.clip(rng.normal(60, 30, 900) + skill * inside, 0, 255).astype(np.int64)
    bounds = [
        (0, 200, "noise", "rain"),
        (200, 400, "speech", "speech"),
        (400, 500, "quiet", "quiet"),
        (500, 600, "noise", "dog"),
    ]
    sources = {"rain": ("brook",), "speech": ("brook", "radio")}
    parts = tuple(
        Part(start_s=a, end_s=b, kind=kind, label=label, files=(), sources=sources.get(label, ()))
        for a, b, kind, label in bounds
    )
    return StreamTrack(times_s=times_s, outputs=outputs, regions=regions, parts=parts, duration_s=600.0)


EDGE = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.25, consecutive_hits=1, cool_down_s=0.0)


@settings(deadline=None)
@example(EDGE, [127, 128, 64, 63, 128])
@example(replace(EDGE, window=2, consecutive_hits=2), [128, 128, 128, 0, 128, 0, 127, 128, 128, 128])
@given(configs, st.lists(st.integers(0, 255), max_size=150))
def test_entries_are_those_of_the_gate(config: GateConfig, outputs: list[int]) -> None:
    gate = Gate(config)
    expected = [step for step, output in enumerate(outputs) if gate.step(output / 256).entered]
    assert entries(np.array(outputs, dtype=np.int64), config).tolist() == expected


def test_recorded_outputs_give_the_recorded_figures_whatever_the_rests() -> None:
    """Rests after a wake-up would hide false wake-ups, so no figure depends on them."""
    recorded = [made_track(seed, skill=90) for seed in range(3)]
    gate = GateConfig(window=2, enter_threshold=0.4, leave_threshold=0.25, consecutive_hits=2)
    assert [entries(track.outputs, gate).tolist() for track in recorded] == [
        [48, 156, 469],
        [156, 450, 469, 861],
        [156, 233, 468],
    ]
    figures = stream_metrics(recorded, [gate])
    assert figures["n_false_triggers"] == 4
    assert figures["false_triggers_per_hour"] == {"value": 12.0, "low": 3.2696, "high": 30.7248}
    assert figures["recall"] == {"n": 6, "value": 1.0, "low": 0.6097, "high": 1.0}
    assert (figures["median_delay_s"], figures["delay_90_percent_s"]) == (4.32, 4.64)
    tireless = stream_metrics(recorded, [replace(gate, cool_down_s=0.0, back_off_factor=3.0, longest_rest_s=0.0)])
    assert {**figures, "gates": None} == {**tireless, "gates": None}


def test_figures_are_divided_by_source() -> None:
    gate = GateConfig(window=2, enter_threshold=0.4, leave_threshold=0.25, consecutive_hits=2)
    figures = stream_metrics([made_track(seed, skill=90) for seed in range(3)], [gate])
    # The second region of each stream is below 5 dB.
    assert {name: one["n"] for name, one in figures["recall_by_source"].items()} == {"band": 3}
    by_source, by_label = figures["false_triggers_by_source"], figures["false_triggers_by_label"]
    assert set(by_source) == {"brook", "radio"}
    assert by_source["radio"]["n"] == by_label["speech"]["n"]
    # The mixture of both counts for both.
    for name in ("n", "hours"):
        assert by_source["brook"][name] == pytest.approx(by_label["rain"][name] + by_label["speech"][name], abs=2e-3)
    assert by_source["brook"]["n"] > 0


def test_counting_regions_and_false_triggers() -> None:
    regions = [region(10, 30), region(60, 80)]
    times = [5.0, 15.0, 20.0, 30.0 + GRACE_S - 1, 50.0]
    assert found_regions(regions, times) == {0: 5.0}
    assert false_triggers(regions, times) == [5.0, 50.0]


def test_time_without_music_leaves_out_regions_their_grace_and_quiet_rooms() -> None:
    track = made_track(1)
    # Two regions of 30 s with 8 s of grace and 100 s of quiet are left out.
    assert track.other_s == pytest.approx(900 * 0.64 - 2 * 38 - 100, abs=2)
    assert set(track.region_of) == {-1, 0, 1}


def test_tracks_survive_their_file(tmp_path: Path) -> None:
    track = made_track(2)
    track.save(tmp_path / "t.json")
    again = StreamTrack.load(tmp_path / "t.json")
    assert again.to_dict() == track.to_dict()
    assert np.allclose(again.times_s, track.times_s)


def test_window_area_is_the_area_under_the_roc_curve() -> None:
    rng = np.random.default_rng(1)
    outputs = rng.integers(0, 256, 400)
    labels = rng.random(400) < outputs / 256
    area = window_area(window_counts(outputs[labels])[None], window_counts(outputs[~labels])[None], rng)
    assert area.value == pytest.approx(area_under_roc(outputs.astype(float), labels))
    curve = det_curve(window_counts(outputs[labels]), window_counts(outputs[~labels]))
    # A window counts as music from threshold t on; 0.5 is the 128th of thresholds 1 to 255.
    assert curve["miss"][127] == pytest.approx((outputs[labels] < 128).mean(), abs=1e-5)
    assert curve["false_alarm"][127] == pytest.approx((outputs[~labels] >= 128).mean(), abs=1e-5)


def test_figures_count_what_happened() -> None:
    tracks = [made_track(seed) for seed in range(4)]
    gate = GateConfig(window=2, enter_threshold=0.5, leave_threshold=0.3, consecutive_hits=1, cool_down_s=60.0)
    figures = stream_metrics(tracks, [gate])
    assert figures["n_regions"] == 8
    assert figures["recall"]["value"] == 1.0
    assert figures["recall_audible"]["n"] == 4
    assert figures["recall_by_onset_class"]["rhythmic"]["n"] == 4
    assert list(figures["recall_by_snr"]) == ["0 to 5 dB", "10 to 15 dB"]
    assert 2 < figures["median_delay_s"] < 6
    labels = figures["false_triggers_by_label"]
    assert set(labels) == {"rain", "speech", "dog", "quiet"}
    assert sum(row["n"] for row in labels.values()) == figures["n_false_triggers"]
    assert figures["n_false_triggers"] > 0, "also in quiet rooms, whose time does not count"
    loud = sum(row["hours"] for label, row in labels.items() if label != "quiet")
    assert loud == pytest.approx(figures["hours_without_music"], abs=0.01)
    assert figures["window_area"]["all (0 to 20 dB)"]["value"] > 0.9
    assert figures["default_kernels"]["n_streams"] == 0
    shifted = [replace(track, delegate_outputs=np.roll(track.outputs, 1)) for track in tracks]
    moved = stream_metrics(shifted, [gate])["default_kernels"]
    assert moved["n_entries_at_one_only"] == 2 * moved["n_entries"] > 0
    same = [replace(track, delegate_outputs=track.outputs) for track in tracks]
    assert stream_metrics(same, [gate])["default_kernels"]["n_entries_at_one_only"] == 0
    nobody = stream_metrics(tracks, [gate, replace(gate, enter_threshold=1.0, window=8)])
    assert nobody["recall"]["value"] == 0.5, "gates go round the tracks"


def test_room_tone_counts_every_trigger() -> None:
    track = replace(made_track(1), regions=())
    gate = GateConfig(window=1, enter_threshold=0.5, leave_threshold=0.3, consecutive_hits=1)
    figures = room_tone_metrics([track], [gate])
    assert figures["n_triggers"] == len(entries(track.outputs, gate)) > 0
    assert figures["per_hour"]["high"] > figures["per_hour"]["value"]


def test_streams_have_regions_of_16_to_40_s_and_parts_without_gaps(pools: SoundPools) -> None:
    stream = compose_stream(pools, np.random.default_rng(2), duration_s=180.0)
    assert stream.samples.shape == (180 * 16_000,)
    assert stream.regions
    previous_end_s = 0.0
    for one in stream.regions:
        assert 16 <= one.end_s - one.start_s <= 40
        assert one.start_s > previous_end_s
        assert one.level_dbfs < 0
        previous_end_s = one.end_s
    assert stream.parts[0].start_s == 0
    assert stream.parts[-1].end_s == pytest.approx(180)
    assert all(one.end_s == two.start_s for one, two in pairwise(stream.parts))


def test_room_tone_is_quiet_and_has_no_music(pools: SoundPools) -> None:
    stream = compose_room_tone(pools, np.random.default_rng(1), duration_s=90.0)
    assert not stream.regions
    for part in stream.parts:
        piece = stream.samples[int(part.start_s * 16_000) : int(part.end_s * 16_000)]
        assert -70.5 <= rms_dbfs(piece) <= -49.5
