from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.statistics import bootstrap_means, draw_run_errors, middle_95
from pretraining.probe.compare import compare
from pretraining.probe.few import labelled_part
from pretraining.probe.report import to_markdown
from pretraining.tasks.task import Example, Task


def test_a_part_of_the_labels_has_every_label_and_its_share(rng: np.random.Generator) -> None:
    labels = ["a"] * 200 + ["b"] * 40 + ["c"] * 3
    part = labelled_part(labels, 0.1, rng)
    assert np.all(np.diff(part) > 0)
    assert [sum(labels[index] == label for index in part) for label in "abc"] == [20, 4, 1]
    assert len(labelled_part(labels, 1.0, rng)) == len(labels)
    assert not np.array_equal(part, labelled_part(labels, 0.1, rng))


def test_the_interval_of_independent_answers_is_the_binomials(rng: np.random.Generator) -> None:
    right = rng.random(400) < 0.7
    low, high = middle_95(bootstrap_means(right, [str(k) for k in range(400)], rng))
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 400)
    assert (high - low) / 2 == pytest.approx(half, rel=0.12)
    assert low < right.mean() < high


def test_answers_of_one_unit_do_not_count_as_many(rng: np.random.Generator) -> None:
    by_unit = rng.random(20) < 0.7
    right = np.repeat(by_unit, 20)
    units = [str(k // 20) for k in range(400)]
    low, high = middle_95(bootstrap_means(right, units, rng))
    assert high - low > 3 * 2 * 1.96 * np.sqrt(0.21 / 400) * 0.8


@pytest.mark.parametrize("n_runs", [2, 3, 8])
def test_a_mean_over_runs_covers_the_truth_as_often_as_it_says(n_runs: int, rng: np.random.Generator) -> None:
    """Where resampling two or three runs covers it 51 or 75 times in 100."""
    covered = []
    for _ in range(1_000):
        runs = rng.normal(0.5, 0.1, n_runs)
        low, high = middle_95(runs.mean() + draw_run_errors(runs, rng))
        covered.append(low < 0.5 < high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)


def test_runs_of_methods_that_vary_alike_tell_more_together(rng: np.random.Generator) -> None:
    methods = [rng.normal(place, 0.1, 3) for place in (0.2, 0.5, 0.6, 0.7, 0.8)]
    alone, together = (middle_95(draw_run_errors(methods[0], rng, alike)) for alike in ((), methods))
    half = 1.96 * 0.1 / np.sqrt(3)
    assert together[1] == pytest.approx(half, rel=0.5)
    assert alone[1] / methods[0].std() > 1.5 * together[1] / np.sqrt(np.mean([one.var() for one in methods]))
    np.testing.assert_array_equal(draw_run_errors(methods[0][:1], rng, methods), 0.0)


def test_a_run_that_is_better_at_all_tasks_is_so_in_their_mean(rng: np.random.Generator) -> None:
    """Drawn anew for each task, runs would cancel each other: the mean would seem twice as sure with four tasks."""
    right = np.repeat(np.array([0.4, 0.5, 0.6]), 200).reshape(3, 1, 200)
    units = [str(k) for k in range(200)]
    key = ("cola", "frozen", 1.0)
    answers = [{key: rng.random(right.shape) < right} for _ in range(4)]
    rows, (mean,) = compare({f"task{k}": units for k in range(4)}, answers)
    of_runs = np.mean([one[key].mean(axis=(1, 2)) for one in answers], axis=0)
    least = 2 * 1.96 * of_runs.std(ddof=1) / np.sqrt(3)
    assert mean["high"] - mean["low"] > 0.8 * least
    assert {row["n_runs"] for row in rows} == {3}


def test_draws_of_the_labels_are_no_runs(rng: np.random.Generator) -> None:
    """Three draws of each of two runs tell no more of how runs differ than two runs do."""
    of_run = np.repeat(np.array([0.3, 0.7]), 300).reshape(2, 1, 300)
    once = rng.random(of_run.shape) < of_run
    thrice = np.repeat(once, 3, axis=1)
    widths = []
    for correct in (once, thrice):
        _, (mean,) = compare({"digits": [str(k) for k in range(300)]}, [{("cola", "frozen", 0.1): correct}])
        widths.append(mean["high"] - mean["low"])
    assert widths[0] == pytest.approx(widths[1])


def test_differences_are_paired(rng: np.random.Generator) -> None:
    units = [str(k) for k in range(300)]
    worse = rng.random(300) < 0.5
    better = worse.copy()
    better[np.flatnonzero(~worse)[:15]] = True
    drawn = [bootstrap_means(right, units, np.random.default_rng(0)) for right in (better, worse)]
    assert middle_95(drawn[0] - drawn[1])[0] > 0, "never worse on any sound"
    assert middle_95(drawn[0])[0] < middle_95(drawn[1])[1], "which the intervals alone do not tell"


def test_many_runs_tell_by_themselves_how_they_vary_and_few_do_so_together(rng: np.random.Generator) -> None:
    """Random weights, of which there are many, vary more than what is trained: the others are not judged by them."""
    units, n_runs = [str(k) for k in range(1_000)], {"random": 15, "cola": 2, "triplet": 3}
    shares = {"random": np.linspace(0.2, 0.8, 15), "cola": [0.5, 0.5], "triplet": [0.45, 0.5, 0.55]}
    answers = {}
    for name, of_runs in shares.items():
        right = np.zeros((n_runs[name], 1, 1_000), bool)
        for run, share in enumerate(of_runs):
            right[run, 0, : round(1_000 * share)] = True
        answers[name, "frozen", 1.0] = right
    rows, _ = compare({"digits": units}, [answers])
    half = {row["method"]: (row["high"] - row["low"]) / 2 for row in rows}
    of_units = 1.96 * 0.5 / np.sqrt(1_000)
    assert half["cola"] > 2 * of_units, "two runs that happen to agree are no proof"
    assert half["cola"] < half["random"] < 0.2
    assert half["random"] > 1.96 * shares["random"].std() / np.sqrt(15)


def _task(name: str, rng: np.random.Generator) -> Task:
    def example(number: int) -> Example:
        return Example(path=Path(f"{name}{number}"), label=str(rng.integers(3)), unit=str(number))

    return Task.of(name, [example(k) for k in range(60)], [example(k) for k in range(60, 260)], parted_by="file")


@pytest.fixture
def compared(rng: np.random.Generator) -> tuple[list[dict], list[dict]]:
    """Two tasks: cola is better than random in the first alone, supervised in both."""
    tasks = [_task(name, rng) for name in ("digits", "events")]
    answers = []
    for n_better in (40, 0):
        worse = rng.random((1, 1, 200)) < 0.5
        better = worse.copy()
        better[0, 0, np.flatnonzero(~worse[0, 0])[:n_better]] = True
        all_right = np.ones((1, 1, 200), bool)
        answers.append(
            {
                ("random", "frozen", 1.0): worse,
                ("cola", "frozen", 1.0): better,
                ("supervised", "frozen", 1.0): all_right,
            }
        )
    return compare({task.name: [one.unit for one in task.test] for task in tasks}, answers)


def test_means_over_tasks_have_intervals_and_differences(compared: tuple[list[dict], list[dict]]) -> None:
    rows, means = compared
    by_task = {(row["task"], row["method"]): row for row in rows}
    mean = {row["method"]: row for row in means}
    of_tasks = [by_task[task, "cola"]["accuracy"] for task in ("digits", "events")]
    assert mean["cola"]["accuracy"] == pytest.approx(np.mean(of_tasks))
    assert by_task["digits", "cola"]["minus"]["random"]["difference"] == pytest.approx(0.2)
    assert by_task["events", "cola"]["minus"]["random"] == {"difference": 0.0, "low": 0.0, "high": 0.0}
    found = mean["cola"]["minus"]["random"]
    assert found["difference"] == pytest.approx(0.1)
    assert 0.05 < found["low"] < 0.1 < found["high"] < 0.15
    assert mean["random"]["minus"]["cola"]["high"] == -found["low"]
    # Two tasks drawn apart: narrower than one by the root of two.
    widths = [row["high"] - row["low"] for row in (by_task["digits", "random"], mean["random"])]
    assert widths[1] == pytest.approx(widths[0] / np.sqrt(2), rel=0.15)


def test_the_table_tells_what_is_not_surely_above_random(compared: tuple[list[dict], list[dict]]) -> None:
    rows, means = compared
    fixed = {"n_labels": 10, "n_train": 50, "n_test": 20, "n_units": 20, "chance": 0.1, "parted_by": "speaker"}
    result = {
        "settings": {"label_shares": [1.0], "n_seeds": 3, "most_windows": 8, "fine_tune_steps": 0},
        "runs": [{"method": "cola", "seed": 1, "n_steps": 4, "clips_per_step": 6}],
        "tasks": [{"name": "digits", **fixed}, {"name": "events", **fixed}],
        "results": rows,
        "means": means,
    }
    lines = to_markdown(result).splitlines()
    assert "| digits | 10 | 50 | 20 | 20 | 10.0 | speaker |" in lines
    cells = next(line for line in lines if line.startswith("| cola |") and "(" in line).split("|")
    assert [("\\*" in cell) for cell in cells[2:5]] == [False, True, False]
    assert "| supervised | 100.0 (100.0-100.0) | 100.0 (100.0-100.0) | 100.0 (100.0-100.0) |" in lines
    assert any(line.startswith("| cola | +10.0 (+") for line in lines), "points above random on average"
