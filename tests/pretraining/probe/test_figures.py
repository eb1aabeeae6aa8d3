import numpy as np
import pytest

from pretraining.probe.few import labelled_part
from pretraining.probe.intervals import bootstrap, interval
from pretraining.probe.report import to_markdown


def test_a_part_of_the_labels_has_every_label_and_its_share(rng: np.random.Generator) -> None:
    labels = ["a"] * 200 + ["b"] * 40 + ["c"] * 3
    part = labelled_part(labels, 0.1, rng)
    assert np.all(np.diff(part) > 0)
    assert [sum(labels[index] == label for index in part) for label in "abc"] == [20, 4, 1]
    assert len(labelled_part(labels, 1.0, rng)) == len(labels)
    assert not np.array_equal(part, labelled_part(labels, 0.1, rng))


def test_the_interval_of_independent_answers_is_the_binomials(rng: np.random.Generator) -> None:
    right = rng.random((1, 400)) < 0.7
    low, high = interval(bootstrap(right, [str(k) for k in range(400)], rng))
    half = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / 400)
    assert (high - low) / 2 == pytest.approx(half, rel=0.12)
    assert low < right.mean() < high


def test_answers_of_one_unit_do_not_count_as_many(rng: np.random.Generator) -> None:
    by_unit = rng.random(20) < 0.7
    right = np.repeat(by_unit, 20)[None]
    units = [str(k // 20) for k in range(400)]
    low, high = interval(bootstrap(right, units, rng))
    assert high - low > 3 * 2 * 1.96 * np.sqrt(0.21 / 400) * 0.8


def test_seeds_that_differ_widen_the_interval(rng: np.random.Generator) -> None:
    units = [str(k) for k in range(300)]
    same = np.tile(rng.random(300) < 0.5, (3, 1))
    differing = np.stack([rng.random(300) < share for share in (0.2, 0.5, 0.8)])
    widths = [np.subtract(*interval(bootstrap(right, units, rng))[::-1]) for right in (same, differing)]
    assert widths[1] > 2 * widths[0]


def test_differences_are_paired(rng: np.random.Generator) -> None:
    units = [str(k) for k in range(300)]
    worse = rng.random((1, 300)) < 0.5
    better = worse.copy()
    better[0, np.flatnonzero(~worse[0])[:15]] = True
    drawn = [bootstrap(right, units, np.random.default_rng(0)) for right in (better, worse)]
    assert interval(drawn[0] - drawn[1])[0] > 0, "never worse on any sound"
    assert interval(drawn[0])[0] < interval(drawn[1])[1], "which the intervals alone do not tell"


def test_the_table_tells_what_is_not_surely_above_random() -> None:
    def row(method: str, share: float, accuracy: float, **more: object) -> dict[str, object]:
        fixed = {"task": "digits", "mode": "frozen", "n_seeds": 3, "low": accuracy - 0.05, "high": accuracy + 0.05}
        return {**fixed, "method": method, "label_share": share, "accuracy": accuracy, **more}

    unsure = {"difference": 0.02, "low": -0.01, "high": 0.05}
    result = {
        "settings": {"label_shares": [0.1, 1.0], "n_seeds": 3, "most_windows": 8, "fine_tune_steps": 0},
        "runs": [{"method": "cola", "seed": 1, "n_steps": 4, "clips_per_step": 6}],
        "tasks": [
            {
                "name": "digits",
                "n_labels": 10,
                "n_train": 50,
                "n_test": 20,
                "n_units": 20,
                "chance": 0.1,
                "parted_by": "speaker",
            }
        ],
        "results": [
            row("random", 0.1, 0.3),
            row("random", 1.0, 0.4),
            row("cola", 0.1, 0.31),
            row("cola", 1.0, 0.42, above_random=unsure),
        ],
    }
    text = to_markdown(result)
    assert "| digits | 40.0 (35.0-45.0) | 42.0\\* (37.0-47.0) |" in text
    assert "| cola | 31.0 | 42.0 |" in text
    assert "| digits | 10 | 50 | 20 | 20 | 10.0 | speaker |" in text
