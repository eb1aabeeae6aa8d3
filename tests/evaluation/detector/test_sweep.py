"""Gates over streams: counted as they open, and the best within limits."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.detector.stream_metrics import stream_metrics
from evaluation.detector.sweep import SHAPES, best_row, choose_gate, frontier, gate_of, outcome, sweep_gate
from tests.evaluation.detector.test_tracks import made_track

shares = st.integers(0, 4).map(lambda quarters: quarters / 4)
rows = st.builds(
    lambda recall, rate, delay: {
        "recall_audible": recall,
        "false_triggers_per_hour": rate,
        "median_delay_s": None if recall == 0 else delay,
    },
    shares,
    shares,
    shares,
)
"""Rows with few different values, so that many are alike in one, two or all of them."""


def is_worse(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether a row that finds music is beaten by another in something, and beats it in nothing."""
    merits = [
        (row["recall_audible"], -row["false_triggers_per_hour"], -float(row["median_delay_s"] or 0))
        for row in (one, other)
    ]
    return merits[0] != merits[1] and all(mine <= theirs for mine, theirs in zip(*merits, strict=True))


@given(st.lists(rows, max_size=12), shares, shares)
def test_the_best_row_keeps_both_limits_and_no_other_that_does_is_better(
    sweep: list[dict[str, Any]], max_false_per_hour: float, max_delay_s: float
) -> None:
    def fits(row: dict[str, Any]) -> bool:
        is_quick = row["median_delay_s"] is not None and row["median_delay_s"] <= max_delay_s
        return is_quick and row["false_triggers_per_hour"] <= max_false_per_hour

    best = best_row(sweep, max_false_per_hour=max_false_per_hour, max_delay_s=max_delay_s)
    fit = [row for row in sweep if fits(row)]
    assert (best is None) == (not fit)
    if best is not None:
        assert fits(dict(best))
        assert best["recall_audible"] == max(row["recall_audible"] for row in fit)
        assert not any(is_worse(dict(best), row) for row in fit)


def test_of_rows_that_are_alike_the_first_is_best() -> None:
    alike = [
        {"recall_audible": 0.5, "false_triggers_per_hour": 1.0, "median_delay_s": 2.0, "name": name} for name in "ab"
    ]
    best = best_row(alike, max_false_per_hour=1.0)
    assert best is not None
    assert best["name"] == "a"


def test_an_outcome_counts_what_was_found_and_what_was_not_there() -> None:
    track = made_track(1)  # music at 10 dB from 100 s on and at 0 dB from 300 s on, for 30 s each
    found = outcome([track, track], [[103.0, 110.0, 500.0], [50.0, 302.0]])
    assert (found["recall"], found["recall_audible"], found["n_audible_found"]) == (0.5, 0.5, 1)
    assert found["n_false_triggers"] == 2
    assert found["false_triggers_per_hour"] == pytest.approx(2 / (2 * track.other_s / 3_600))
    assert (found["median_delay_s"], found["delay_90_percent_s"]) == (2.5, pytest.approx(2.9))
    nothing = outcome([track], [[]])
    assert (nothing["median_delay_s"], nothing["false_triggers_per_hour"]) == (None, 0.0)


def test_a_row_counts_what_its_gate_does() -> None:
    tracks = [made_track(seed, skill=90) for seed in range(3)]
    assert len({tuple(shape.values()) for shape in SHAPES}) == 1_728
    sweep = sweep_gate(tracks, SHAPES[::200])
    assert len(sweep) == 9
    for row in sweep:
        figures = stream_metrics(tracks, [gate_of(row)])
        assert figures["n_false_triggers"] == row["n_false_triggers"]
        assert figures["recall_audible"]["value"] == pytest.approx(row["recall_audible"], abs=1e-4)
        assert (figures["median_delay_s"] is None) == (row["median_delay_s"] is None)
        if row["median_delay_s"] is not None:
            assert figures["delay_90_percent_s"] == pytest.approx(row["delay_90_percent_s"], abs=0.01)


def test_the_sweep_trades_and_the_choice_keeps_its_limits() -> None:
    tracks = [made_track(seed, skill=90) for seed in range(6)]
    sweep = sweep_gate(tracks, SHAPES[::3])
    best = frontier(sweep)
    assert all(one["recall_audible"] < two["recall_audible"] for one, two in pairwise(best))
    gate = choose_gate(sweep, max_false_per_hour=1.0)
    figures = stream_metrics(tracks, [gate])
    assert figures["false_triggers_per_hour"]["value"] <= 1.0
    allowed = [row["recall_audible"] for row in sweep if row["false_triggers_per_hour"] <= 1.0]
    assert figures["recall_audible"]["value"] <= max(allowed)
    row = next(
        row
        for row in sweep
        if (row["window"], row["consecutive_hits"], row["enter_threshold"])
        == (gate.window, gate.consecutive_hits, gate.enter_threshold)
    )
    assert row["recall"] == pytest.approx(figures["recall"]["value"], abs=1e-4)
    quietest = choose_gate(sweep, max_false_per_hour=-1.0)
    assert stream_metrics(tracks, [quietest])["n_false_triggers"] == 0


def test_where_no_quiet_gate_is_quick_a_slower_one_is_chosen() -> None:
    slow, loud = (
        {
            "window": window,
            "consecutive_hits": 1,
            "enter_threshold": 0.5,
            "early_window": None,
            "early_threshold": None,
            "recall_audible": 0.5,
            "false_triggers_per_hour": rate,
            "median_delay_s": delay_s,
        }
        for window, rate, delay_s in ((8, 1.0, 9.0), (1, 5.0, 1.0))
    )
    assert choose_gate([slow, loud], max_false_per_hour=1.0).window == 8
    assert choose_gate([slow, loud], max_false_per_hour=5.0).window == 1
