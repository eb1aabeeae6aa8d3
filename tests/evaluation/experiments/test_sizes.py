"""Acceptance by size: the fit finds the slopes that answers follow, and each half is judged by the other's."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.experiments.answers_by_size import Answers
from evaluation.experiments.sizes import fit_slopes, measured, scores, to_markdown, with_slopes
from evaluation.retrieval.conditions import paired_conditions
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, Acceptance
from ondevice_db.match.evidence import FEATURES, N_FEATURES

BASE = replace(DEFAULT_ACCEPTANCE, n_fitted=32_000)
SIZES = {"small": 4_000, "large": 6_000_000}
MARGIN = FEATURES.index("margin")
CONDITIONS = [condition.name for condition in paired_conditions()]


def answers_of(
    rng: np.random.Generator, size: str, slopes: tuple[float, float], n: int = 4000
) -> dict[tuple[str, str], Answers]:
    """Return answers whose share of right ones is what an acceptance model with these slopes says."""
    true = with_slopes(BASE, size, slopes)
    found = {}
    for number, condition in enumerate(CONDITIONS):
        n_fingerprints = 12 if number < 2 else 1
        features = np.zeros((n, N_FEATURES))
        features[:, FEATURES.index("log_fingerprints")] = np.log(n_fingerprints)
        # The one measure that varies carries the log odds, which are spread evenly around the true ones of zero.
        wanted = rng.uniform(-5, 5, n) + true.size_penalty(n_fingerprints, SIZES[size])
        by_length = FEATURES.index("margin_x_log_fingerprints")
        weight = BASE.coefficients[MARGIN] + BASE.coefficients[by_length] * np.log(n_fingerprints)
        features[:, MARGIN] = (wanted - logits(BASE, features)) / weight
        features[:, by_length] = features[:, MARGIN] * np.log(n_fingerprints)
        odds = logits(BASE, features) - true.size_penalty(n_fingerprints, SIZES[size])
        right = rng.random(n) < 1 / (1 + np.exp(-odds))
        halves, asked = rng.integers(0, 2, n), np.full(n, SIZES[size])
        found["known", condition] = Answers(features, right, halves, asked)
        # Even odds: as many wrong answers as right ones, where the fit and the reliability expect a half each.
        found["masked", condition] = Answers(features[:1], np.zeros(1, bool), halves[:1], asked[:1])
        found["unknown", condition] = Answers(
            features[~right], np.zeros((~right).sum(), bool), halves[~right], asked[~right]
        )
    return found


def logits(acceptance: Acceptance, features: np.ndarray) -> np.ndarray:
    return features @ np.array(acceptance.coefficients) + acceptance.intercept


@pytest.mark.parametrize(("size", "slopes"), [("small", (0.4, 0.7)), ("large", (-0.2, -0.15))])
def test_the_slopes_of_answers_are_found(rng: np.random.Generator, size: str, slopes: tuple[float, float]) -> None:
    answers = answers_of(rng, size, slopes)
    assert fit_slopes(BASE, size, answers) == pytest.approx(slopes, abs=0.06)
    # Slopes that the model has already change nothing: they are fitted anew.
    assert fit_slopes(with_slopes(BASE, size, (1.0, -1.0)), size, answers) == pytest.approx(slopes, abs=0.06)


@pytest.mark.parametrize(("size", "slopes"), [("small", (0.4, 0.7)), ("large", (-0.2, -0.15))])
def test_scores_are_probabilities_with_the_slopes_of_the_other_half_and_not_without(
    rng: np.random.Generator, size: str, slopes: tuple[float, float]
) -> None:
    answers = answers_of(rng, size, slopes)
    fitted = [with_slopes(BASE, size, fit_slopes(BASE, size, answers, half)) for half in (0, 1)]
    known = [answers["known", condition] for condition in CONDITIONS]

    def error(models: list[Acceptance]) -> float:
        score = np.concatenate([scores(models, one)[0] for one in known])
        right = np.concatenate([one.is_correct for one in known])
        middle = (score > 0.2) & (score < 0.8)
        return abs(float(score[middle].mean() - right[middle].mean()))

    assert error(fitted) < 0.03
    assert error([BASE, BASE]) > 0.15


def test_each_half_is_fitted_and_judged_without_the_other(rng: np.random.Generator) -> None:
    answers = answers_of(rng, "small", (0.4, 0.7), n=400)
    before = fit_slopes(BASE, "small", answers, 0)
    for one in answers.values():
        one.is_correct[one.halves == 1] = False
    assert fit_slopes(BASE, "small", answers, 0) == before
    assert fit_slopes(BASE, "small", answers) != before
    one = answers["known", CONDITIONS[0]]
    never = replace(BASE, intercept=-30.0)
    score, accepted = scores([BASE, never], one)
    assert not accepted[one.halves == 0].any(), "half 0 is judged by the model of half 1"
    assert (score[one.halves == 1] > 1e-6).all()


def test_libraries_of_other_sizes_are_judged_at_their_own(rng: np.random.Generator) -> None:
    answers = answers_of(rng, "small", (0.4, 0.7), n=20)
    one = answers["known", CONDITIONS[0]]
    mixed = replace(one, n_searched=np.where(np.arange(20) % 2, 4_000, 32_000))
    model = with_slopes(BASE, "small", (0.4, 0.7))
    score, plain = scores([model, model], mixed)[0], scores([BASE, BASE], mixed)[0]
    np.testing.assert_array_equal(score[::2], plain[::2])
    assert (score[1::2] < plain[1::2]).all()


def test_the_tables_have_a_row_for_each_size_and_query(rng: np.random.Generator) -> None:
    rows = []
    for size in ("small", "large"):
        answers = answers_of(rng, size, (0.1, 0.1), n=60)
        for group, condition in (("speech", "clean, 8 s"), ("noise", "clean, 8 s"), ("speech", "clean, 2 s")):
            answers[group, condition] = answers["unknown", CONDITIONS[0]]
        answers["noise", "clean, 2 s"] = answers["unknown", CONDITIONS[1]]
        rows.append(measured(size, answers, [BASE, BASE], [BASE, BASE]))
    rate = {"rate": 0.5}
    false = {"count": 0, "n": 10, "upper_95": 0.3}
    metrics = {
        "n_fingerprints": 32_000,
        "known": [{"condition": name, "rank1": rate, "accepted": rate} for name in CONDITIONS],
        "false_accepts": [
            *(
                {"queries": f"{one} music", "condition": name, **false}
                for one in ("unknown", "masked")
                for name in CONDITIONS
            ),
            *(
                {"queries": one, "condition": name, **false}
                for one in ("speech", "noise")
                for name in ("clean, 8 s", "clean, 2 s")
            ),
        ],
        "reliability": [{"expected_calibration_error": 0.01, "brier": 0.04}],
    }
    table, calibration = to_markdown({"sizes": rows}, metrics).split("\n\n")
    assert len(table.splitlines()) == 2 + 3 * len(CONDITIONS)
    assert [line.split(" | ")[0].strip("| ") for line in calibration.splitlines()[2:]] == [
        "4,000",
        "32,000",
        "6,000,000",
    ]
