"""Tables and plot of the defences say what was measured: pairs, songs, and what was never asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.experiments.defences_plot import committed_series, series
from evaluation.experiments.defences_report import Part, attacks_table, defences_table, rows_of
from evaluation.experiments.thief import RIDGE, _mean_of_asked
from evaluation.pictures import draw_chart

SONGS = [str(song) for song in np.repeat(np.arange(20), 10)]
CONDITIONS = ("0 dB, room, 2 s", "0 dB, room, 8 s")


def melodies(value: float, rng: np.random.Generator, unasked: int = 0) -> dict[str, np.ndarray]:
    found = value + 0.1 * rng.standard_normal(200)
    found[:unasked] = np.nan
    return {"melody": found, "strongest": found.clip(0, 1), "of_another": 0.01 * rng.standard_normal(200)}


def part(form: str, defence: str, attack: str = RIDGE, **more: Any) -> Part:
    return Part("rebuilt", form, defence, attack=attack, n_context=3, **more)


@pytest.fixture
def result(rng: np.random.Generator) -> dict[str, Any]:
    """Return a result whose networks rebuild 0.1 more than ridge regression, and whose short codes find half."""
    measured: list[tuple[Part, Any]] = [
        (part("floats", "none"), plain := melodies(0.6, rng)),
        *((part("floats", "none", "network", seed=n), {**plain, "melody": plain["melody"] + 0.1}) for n in (1, 2)),
        (part("6-byte codes", "codes"), melodies(0.4, rng)),
        (part("floats, rotated", "rotation", n_owned=0), melodies(0.0, rng)),
        (part("floats, rotated", "rotation", n_owned=4), melodies(0.5, rng, unasked=30)),
        (Part("found", "floats, rotated", "rotation"), {"found": np.arange(20) < 19, "n_copies": np.array(90)}),
    ]
    right = np.arange(100) % 10 > 0
    half = right & (np.arange(100) % 2 > 0)
    for form, defence, values in (
        ("floats", "none", right),
        ("6-byte codes", "codes", half),
        ("floats, rotated", "rotation", right),
    ):
        measured.append((Part("rank-1", form, defence), dict.fromkeys(CONDITIONS, values)))
    counts = {"n_own_songs": 9, "n_own_windows": 900, "n_songs": 20, "n_windows": 200, "n_seeds": 2, "n_context": 3}
    return {**counts, **rows_of(measured, SONGS, [str(n // 5) for n in range(100)])}


def test_a_network_is_compared_with_ridge_regression_window_by_window(result: dict[str, Any]) -> None:
    row = next(row for row in result["rebuilt"] if row["attack"] == "network")
    assert row["above_ridge"] == pytest.approx({"value": 0.1, "low": 0.1, "high": 0.1}, abs=1e-3)
    assert row["melody"]["high"] - row["melody"]["low"] > 0.01
    table = attacks_table(result)
    assert "| floats | 3 | network | 0.7" in table
    assert "+0.100 (+0.100 to +0.100)" in table
    assert "6-byte" not in table
    assert "networks of 2 seeds a row" in table


def test_windows_that_were_never_asked_do_not_count(result: dict[str, Any]) -> None:
    row = next(row for row in result["rebuilt"] if row["n_owned"] == 4)
    assert row["melody"]["value"] == pytest.approx(0.5, abs=0.03)
    assert row["melody"]["low"] < row["melody"]["value"] < row["melody"]["high"]


def test_each_defence_stands_beside_what_it_costs(result: dict[str, Any]) -> None:
    lines = defences_table(result).splitlines()
    short = next(line for line in lines if line.startswith("| 6-byte codes |"))
    assert short.split(" | ")[1].startswith("50.0 (")
    assert short.split(" | ")[2].startswith("-40.0 (")
    free = next(line for line in lines if line.startswith("| floats, rotated, 4 songs known |"))
    assert "+0.0 (+0.0 to +0.0)" in free
    assert "Of 20 rotated songs, 19 are named" in lines[-1]
    assert "among 90 copies: 95.0 % (76.4 to 99.1)." in lines[-1]


def test_the_plot_has_a_point_for_each_row(result: dict[str, Any]) -> None:
    points = series(result)
    assert {name: [point.label for point in rows] for name, rows in points.items()} == {
        "none": ["floats"],
        "codes": ["6"],
        "rotation": ["0", "4"],
    }
    assert [point.rank1 for point in points["rotation"]] == [90.0, 90.0]
    assert all(point.low < point.melody < point.high for rows in points.values() for point in rows)


def test_files_of_parts_differ(tmp_path: Path) -> None:
    parts = [part("floats", "none"), part("floats", "none", "network"), part("floats", "none", "network", seed=2)]
    parts += [part("floats, rotated", "rotation", n_owned=n) for n in (0, 1)]
    assert len({one.file(tmp_path) for one in parts}) == 5
    assert all(" " not in one.file(tmp_path).name for one in parts)


def test_a_mean_over_draws_leaves_out_the_songs_that_were_owned() -> None:
    draws = [np.array([np.nan, 0.2, np.nan]), np.array([0.4, 0.6, np.nan])]
    np.testing.assert_allclose(_mean_of_asked(draws), [0.4, 0.4, np.nan])


def test_the_published_plot_draws_the_published_figures() -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    axes = draw_chart("defences", "light").axes[0]
    points = committed_series()
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["codes, bytes"] == [point.melody for point in [*points["none"], *points["codes"]]]
    assert drawn["a secret rotation, songs known"] == [point.melody for point in points["rotation"]]
