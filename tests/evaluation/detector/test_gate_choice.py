"""The choice of a gate: within its limits, the best there is, and on a surface that nothing beats."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.chosen_gate import ChosenGate, read_chosen_gate
from detector.gate import GateConfig
from detector.training.folds import HeldOut
from evaluation.committed import committed
from evaluation.detector.gate_choice import GateLimits, choose, confirmed, pareto, sweep_surface
from evaluation.detector.gate_report import DELAYS_S, RESULTS, curves, plot, to_markdown, to_toml
from evaluation.detector.gate_streams import Detectors, GateStreams
from evaluation.detector.stream_metrics import stream_metrics
from evaluation.detector.sweep import SHAPES, best_row, gate_of
from evaluation.detector.tracks import StreamTrack
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import ModelFolder
from tests.evaluation.detector.test_sweep import is_worse, rows
from tests.evaluation.detector.test_tracks import made_track

LIMITS = GateLimits(max_false_per_hour=6.0, max_median_delay_s=6.0)
WANTED = (64, 128)
FEW = SHAPES[::12]


def two_stages(seed: int) -> StreamTrack:
    """A first stage that rises in music, and a second that is surer of it wherever it is asked."""
    first = made_track(seed, skill=90)
    second = made_track(seed + 100, skill=150)
    return replace(
        second, outputs=np.where(first.outputs >= min(WANTED), second.outputs, 0), first_outputs=first.outputs
    )


@pytest.fixture(scope="module")
def detectors() -> Detectors:
    model = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    return Detectors(model=model, first_stage=model)


@pytest.fixture(scope="module")
def streams() -> GateStreams:
    return GateStreams(
        train=[two_stages(seed) for seed in range(3)],
        dev=[two_stages(seed) for seed in range(3, 6)],
        held_out=HeldOut(fold=3, n_folds=8),
        is_recorded=False,
    )


@pytest.fixture(scope="module")
def result(streams: GateStreams, detectors: Detectors) -> dict[str, Any]:
    return choose(streams, detectors, LIMITS, wanted_above=WANTED, shapes=FEW)


def test_the_second_stage_counts_where_the_first_is_high_enough() -> None:
    track = replace(
        made_track(0), outputs=np.array([200, 200, 200, 0]), first_outputs=np.array([63, 64, 128, 10]), regions=()
    )
    assert confirmed(track, 64).outputs.tolist() == [0, 200, 200, 0]
    assert confirmed(track, 128).outputs.tolist() == [0, 0, 200, 0]
    assert confirmed(track, None) is track


def test_the_chosen_gate_keeps_its_limits_when_it_is_counted_anew(streams: GateStreams, result: dict[str, Any]) -> None:
    gate, threshold = GateConfig.from_dict(result["gate"]), result["wanted_above"]
    tracks = [confirmed(track, threshold) for track in (*streams.train, *streams.dev)]
    figures = stream_metrics(tracks, [gate])
    assert figures["false_triggers_per_hour"]["value"] <= LIMITS.max_false_per_hour
    assert figures["median_delay_s"] <= LIMITS.max_median_delay_s + 0.01
    shown = result["figures"]["both"]["entries"]
    assert shown["recall"]["value"] == figures["recall_audible"]["value"]
    assert shown["n_false"] == figures["n_false_triggers"]
    assert shown["median_delay_s"] == figures["median_delay_s"]
    assert shown["delay_90_percent_s"] == figures["delay_90_percent_s"]


def test_no_gate_of_the_surface_that_keeps_the_limits_is_better(streams: GateStreams, result: dict[str, Any]) -> None:
    sweep = sweep_surface([*streams.train, *streams.dev], WANTED, FEW)
    assert result["n_gates"] == len(sweep) == 2 * len(FEW)
    fit = [
        row
        for row in sweep
        if row["false_triggers_per_hour"] <= LIMITS.max_false_per_hour
        and row["median_delay_s"] is not None
        and row["median_delay_s"] <= LIMITS.max_median_delay_s
    ]
    (chosen,) = (
        row
        for row in fit
        if row["wanted_above"] == result["wanted_above"]
        and all(result["gate"][name] == row[name] for name in ("window", "consecutive_hits", "enter_threshold"))
        and all(result["gate"][name] == row[name] for name in ("early_window", "early_threshold"))
    )
    assert 1 < len(fit) < len(sweep)
    assert not any(is_worse(chosen, row) for row in fit)
    # A gate that another setting of the second stage has as well runs it more rarely.
    assert not any(
        row["wanted_above"] > chosen["wanted_above"] and not is_worse(row, chosen)
        for row in fit
        if row["recall_audible"] >= chosen["recall_audible"]
    )


def test_stricter_limits_never_find_more(streams: GateStreams, detectors: Detectors) -> None:
    found = [
        choose(
            streams,
            detectors,
            GateLimits(max_false_per_hour=rate, max_median_delay_s=delay_s),
            wanted_above=(64,),
            shapes=FEW,
        )
        for rate, delay_s in ((12.0, 8.0), (6.0, 8.0), (6.0, 5.0))
    ]
    recalls = [one["figures"]["both"]["entries"]["recall"]["value"] for one in found]
    assert recalls == sorted(recalls, reverse=True)


def test_figures_of_both_are_those_of_the_parts_together(result: dict[str, Any]) -> None:
    train, dev, both = (result["figures"][name] for name in ("train", "dev", "both"))
    for name in ("n_streams", "n_regions"):
        assert both[name] == train[name] + dev[name]
    assert both["hours_without_music"] == pytest.approx(
        train["hours_without_music"] + dev["hours_without_music"], abs=2e-3
    )
    for counted in ("entries", "with_rests"):
        assert both[counted]["n_false"] == train[counted]["n_false"] + dev[counted]["n_false"]
    # A phone that rests wakes up no more often than its gate opens.
    assert both["with_rests"]["n_false"] <= both["entries"]["n_false"]
    assert both["entries"]["false_per_hour"]["low"] <= both["entries"]["false_per_hour"]["value"]


def test_processes_do_not_change_the_choice(streams: GateStreams, detectors: Detectors, result: dict[str, Any]) -> None:
    assert choose(streams, detectors, LIMITS, wanted_above=WANTED[::-1], shapes=FEW, jobs=2) == result


def test_a_detector_of_one_stage_has_no_setting_of_a_second(detectors: Detectors, streams: GateStreams) -> None:
    plain = [replace(track, first_outputs=np.empty(0, dtype=np.int64)) for track in streams.train]
    one = choose(replace(streams, train=plain, dev=plain), detectors, LIMITS, shapes=FEW)
    assert "wanted_above" not in one
    assert one["by_wanted_above"] == []
    assert one["n_gates"] == len(FEW)
    assert "second stage" not in to_markdown(one)
    assert "wanted_above" not in to_toml(one)


def test_limits_that_no_gate_keeps_are_answered_with_what_is_nearest(
    streams: GateStreams, detectors: Detectors
) -> None:
    with pytest.raises(
        ConfigError, match=r"median delay of at most 0.5 s, found none among 144: the quickest .* s; ra"
    ):
        choose(streams, detectors, replace(LIMITS, max_median_delay_s=0.5), wanted_above=(64,), shapes=FEW)
    loud = [replace(track, outputs=np.tile([250, 0, 0, 0, 0, 0, 0, 0, 0], 100)) for track in streams.train]
    always = [replace(track, first_outputs=np.full(900, 255)) for track in loud]
    with pytest.raises(ConfigError, match=r"none that is so quiet finds music"):
        choose(
            replace(streams, train=always, dev=always),
            detectors,
            GateLimits(max_false_per_hour=0.0),
            wanted_above=(64,),
        )


def test_streams_without_music_are_nothing_to_choose_by(streams: GateStreams, detectors: Detectors) -> None:
    silent = [replace(track, regions=()) for track in streams.dev]
    with pytest.raises(ConfigError, match=r"dev: expected streams with music at 5 dB or more.*compose more"):
        choose(replace(streams, dev=silent), detectors, LIMITS)


@pytest.mark.parametrize("limit", [{"max_false_per_hour": -1.0}, {"max_median_delay_s": 0.0}])
def test_limits_out_of_range_are_refused_by_name(limit: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limit))):
        GateLimits(**limit)


@given(st.lists(rows, max_size=15))
def test_nothing_beats_the_surface_and_it_beats_or_equals_all(sweep: list[dict[str, Any]]) -> None:
    kept = [dict(row) for row in pareto(sweep)]
    assert not any(is_worse(one, other) for one in kept for other in sweep if other["median_delay_s"] is not None)
    merits = [tuple(row.values()) for row in kept]
    assert len(merits) == len(set(merits))
    for row in sweep:
        assert row["median_delay_s"] is None or tuple(row.values()) in merits or any(is_worse(row, one) for one in kept)


def test_the_chosen_gate_lies_on_the_surface_and_on_its_curve(result: dict[str, Any]) -> None:
    best = best_row(
        result["surface"], max_false_per_hour=LIMITS.max_false_per_hour, max_delay_s=LIMITS.max_median_delay_s
    )
    assert best is not None
    assert best["recall_audible"] == pytest.approx(result["figures"]["both"]["entries"]["recall"]["value"], abs=1e-4)
    drawn = curves(result)
    assert set(drawn) <= set(DELAYS_S)
    assert float("inf") in drawn
    for delay_s, gates in drawn.items():
        assert all(row["median_delay_s"] <= delay_s for row in gates)


def test_both_files_hold_the_gate_that_publish_reads(result: dict[str, Any], tmp_path: Path) -> None:
    expected = ChosenGate(gate=GateConfig.from_dict(result["gate"]), wanted_above=result["wanted_above"])
    toml, json = tmp_path / "gate.toml", tmp_path / "gate.json"
    toml.write_text(to_toml(result), encoding="utf-8")
    write_json(json, result)
    assert read_chosen_gate(toml) == read_chosen_gate(json) == expected
    comment = [line for line in to_toml(result).splitlines() if line.startswith("#")]
    assert max(map(len, comment)) <= 140
    words = " ".join(line[2:] for line in comment)
    assert "3 streams of held-out sources of `train` and 3 of `dev`" in words
    assert "fold 3 of 8, as stated by the caller" in words


def test_the_report_says_what_was_chosen_on_each_kind_of_stream(result: dict[str, Any], tmp_path: Path) -> None:
    text = to_markdown(result)
    for title in ("held-out sources of train", "dev", "both", "both, with rests"):
        assert f"| {title} |" in text
    assert "nan" not in text
    assert len([line for line in text.splitlines() if line.startswith(("| 64 |", "| 128 |"))]) == 2
    other = {**result, "first_stage_on_train": {"name": "another", "version": "1.0.0", "files": {}}}
    assert "the first stage of another ran" in to_markdown(other)
    recorded = {**result, "held_out": {**result["held_out"], "is_recorded": True}}
    assert "by the manifests" in to_toml(recorded)
    pytest.importorskip("matplotlib", reason="needs the report extra")
    plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5_000


def test_the_kept_surface_is_of_the_shipped_detector_and_holds_its_gate() -> None:
    kept = committed(RESULTS)
    folder = ModelFolder.open(SHIPPED_DETECTOR, role="detector")
    assert kept["model"]["files"] == {name: record["sha256"] for name, record in folder.manifest["files"].items()}
    wanted_above = folder.manifest["cascade"]["wanted_above"]
    (row,) = (one for one in kept["by_wanted_above"] if one["wanted_above"] == wanted_above)
    assert gate_of(row["best"]).to_dict() == folder.manifest["gate"]
