from dataclasses import replace

import numpy as np
import pytest

from evaluation.retrieval.acceptance_fit import FalseAcceptRates, fit_acceptance
from nowplaying_core.errors import ConfigError
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.evidence import MEASURES, N_FEATURES, Evidence

N_MEASURES = len(MEASURES)
RATES = FalseAcceptRates(full=0.01, short=0.01, drones=0.02)


def features(rng: np.random.Generator, n: int, level: float, n_fingerprints: int | None = None) -> np.ndarray:
    """Return evidence that rises with ``level``, as its vectors."""
    rows = []
    for _ in range(n):
        strength = level + 0.1 * rng.standard_normal()
        rows.append(
            Evidence(
                mean_similarity=0.4 + strength,
                above_cohort=strength + 0.05 * rng.standard_normal(),
                above_neighbors=strength + 0.05 * rng.standard_normal(),
                margin=0.8 * strength + 0.05 * rng.standard_normal(),
                win_rate=float(np.clip(0.5 + strength, 0, 1)),
                clear_wins=float(np.clip(0.5 * strength, 0, 2)),
                above_shifted=strength + 0.05 * rng.standard_normal(),
                sharpness=float(np.clip(strength, -0.1, 0.1)),
                z_above_neighbors=10 * strength + 0.5 * rng.standard_normal(),
                steadiness=float(np.clip(rng.normal(0.0, 0.03), 0, 0.2)),
                n_fingerprints=int(rng.choice([1, 12]) if n_fingerprints is None else n_fingerprints),
            ).to_vector()
        )
    return np.array(rows)


def scores(acceptance: Acceptance, rows: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(rows @ np.array(acceptance.coefficients) + acceptance.intercept)))


def test_fit_separates_at_the_stated_rate(rng: np.random.Generator) -> None:
    known, unknown = features(rng, 2000, 0.5), features(rng, 2000, 0.0)
    acceptance = fit_acceptance(known, unknown, rates=RATES)
    assert np.mean(scores(acceptance, unknown) >= acceptance.threshold) <= 0.01
    assert np.mean(scores(acceptance, known) >= acceptance.threshold) > 0.9
    new = features(np.random.default_rng(1), 2000, 0.0)
    assert np.mean(scores(acceptance, new) >= acceptance.threshold) < 0.03


def test_short_and_long_queries_each_have_the_stated_rate(rng: np.random.Generator) -> None:
    """Half of the evidence, as from a single second, needs a higher threshold for the same rate of false accepts."""
    known = np.concatenate([features(rng, 2000, 0.25, 1), features(rng, 2000, 0.5, 12)])
    wrong = {n: features(rng, 2000, 0.1 if n == 1 else 0.0, n) for n in (1, 12)}
    acceptance = fit_acceptance(known, np.concatenate(list(wrong.values())), rates=RATES)
    for n, rows in wrong.items():
        assert np.mean(scores(acceptance, rows) >= acceptance.threshold_for(n)) <= 0.01
    assert acceptance.threshold_single > acceptance.threshold
    between = [acceptance.threshold_for(n) for n in (1, 2, 4, 8, 12, 100)]
    assert between == sorted(between, reverse=True)
    assert between[0] == acceptance.threshold_single
    assert between[-1] == between[-2] == acceptance.threshold


@pytest.mark.parametrize("n_short", [1, 2, 3, 5, 7])
def test_the_threshold_of_queries_that_the_short_ones_are_has_the_stated_rate(
    rng: np.random.Generator, n_short: int
) -> None:
    """Where windows overhang queries, the shortest ones have three fingerprints, or seven, not one."""
    known = np.concatenate([features(rng, 2000, 0.25, n_short), features(rng, 2000, 0.5, 12)])
    wrong = features(rng, 2000, 0.1, n_short)
    acceptance = fit_acceptance(known, np.concatenate([wrong, features(rng, 2000, 0.0, 12)]), rates=RATES)
    found = np.mean(scores(acceptance, wrong) >= acceptance.threshold_for(n_short))
    assert 0.005 < found <= 0.01


def test_drones_are_learned_and_have_a_rate_of_their_own(rng: np.random.Generator) -> None:
    """What alone tells drones from songs is how little they change; a few of them must not set the thresholds."""
    known, unknown = features(rng, 2000, 0.5, 12), features(rng, 2000, 0.0, 12)
    drones = features(rng, 200, 0.45, 12)
    steady = np.array([MEASURES.index("steadiness"), N_MEASURES + 1 + MEASURES.index("steadiness")])
    drones[:, steady] = rng.normal(0.15, 0.02, (200, 1)) * [1, np.log(12)]
    knowing = fit_acceptance(known, unknown, drones, rates=RATES)
    ignorant = fit_acceptance(known, unknown, rates=RATES)
    new = features(np.random.default_rng(7), 200, 0.45, 12)
    new[:, steady] = np.random.default_rng(8).normal(0.15, 0.02, (200, 1)) * [1, np.log(12)]
    assert np.mean(scores(ignorant, new) >= ignorant.threshold) > 0.5
    assert np.mean(scores(knowing, new) >= knowing.threshold) < 0.05
    assert np.mean(scores(knowing, known) >= knowing.threshold) > 0.9
    # Without a word of how they differ they cost what their rate says, and no more than that.
    alike = fit_acceptance(known, unknown, features(rng, 200, 0.3, 12), rates=replace(RATES, drones=0.2))
    strict = fit_acceptance(known, unknown, features(rng, 200, 0.3, 12), rates=RATES)
    assert alike.threshold < strict.threshold


def test_a_rare_rate_is_nearly_the_same_for_other_answers() -> None:
    """One in a thousand of 3,000 are three: thresholds must follow more answers than that, or chance sets them."""
    new, found = features(np.random.default_rng(99), 30_000, 0.0, 12), []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        known, unknown = features(rng, 1000, 0.3, 12), features(rng, 3000, 0.0, 12)
        acceptance = fit_acceptance(known, unknown, rates=replace(RATES, full=0.001))
        found.append(float(np.mean(scores(acceptance, new) >= acceptance.threshold)))
    assert np.mean(found) == pytest.approx(0.001, abs=0.0005)
    assert max(found) < 4 * min(found)


@pytest.mark.parametrize("name", ["full", "short", "drones"])
def test_rates_are_shares(name: str) -> None:
    with pytest.raises(ConfigError, match=f"false_accept_rates: {name}"):
        replace(RATES, **{name: 1.5})


def test_scores_are_calibrated(rng: np.random.Generator) -> None:
    """Of the queries with a score near 0.7, about seven in ten are right, at even odds."""
    acceptance = fit_acceptance(features(rng, 6000, 0.3), features(rng, 6000, 0.0), rates=RATES, ridge=1e-6)
    fresh = np.random.default_rng(5)
    known, unknown = scores(acceptance, features(fresh, 6000, 0.3)), scores(acceptance, features(fresh, 6000, 0.0))
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8)):
        right = np.sum((known >= low) & (known < high))
        wrong = np.sum((unknown >= low) & (unknown < high))
        assert right / (right + wrong) == pytest.approx((low + high) / 2, abs=0.08)


def test_separable_data_stay_finite(rng: np.random.Generator) -> None:
    acceptance = fit_acceptance(features(rng, 50, 5.0), features(rng, 50, -5.0), rates=RATES)
    assert np.isfinite(acceptance.coefficients).all()
    assert acceptance.threshold >= 0.5


@pytest.mark.parametrize("shape", [(0, N_FEATURES), (5, 7), (N_FEATURES,)])
def test_fit_refuses_what_is_no_table(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="known_features"):
        fit_acceptance(np.zeros(shape), features(rng, 5, 0.0), rates=RATES)
