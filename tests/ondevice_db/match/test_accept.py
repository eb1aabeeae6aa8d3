from dataclasses import replace

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError, CorruptArtifactError
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, SIZE_TERMS, Acceptance, FalseAcceptRates, fit_acceptance
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


def test_manifest_form_comes_back() -> None:
    assert Acceptance.from_dict(DEFAULT_ACCEPTANCE.to_dict()) == DEFAULT_ACCEPTANCE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("features", ["mean_similarity"]),
        ("features", None),
        ("coefficients", [1.0]),
        ("coefficients", [float("nan")] * N_FEATURES),
        ("coefficients", "none"),
        ("intercept", None),
        ("threshold", 1.5),
        ("threshold", float("inf")),
        ("threshold_single", -0.1),
        ("threshold_single", None),
    ],
)
def test_bad_manifest_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(CorruptArtifactError, match="acceptance"):
        Acceptance.from_dict({**DEFAULT_ACCEPTANCE.to_dict(), name: value})


def test_probability_stays_within_zero_and_one() -> None:
    def evidence(level: float) -> Evidence:
        return Evidence(
            mean_similarity=level,
            above_cohort=level,
            above_neighbors=level,
            margin=level,
            win_rate=1.0,
            clear_wins=max(level, 0.0),
            above_shifted=level,
            sharpness=level / 10,
            z_above_neighbors=10 * level,
            steadiness=0.0,
            n_fingerprints=12,
        )

    values = [DEFAULT_ACCEPTANCE.probability(evidence(level)) for level in (-1e6, -1.0, 0.0, 0.3, 1.0, 1e6)]
    assert values == sorted(values)
    assert values[0] >= 0
    assert values[-1] <= 1


def test_the_odds_follow_the_size_on_both_sides_of_the_fit_and_the_length_of_the_query() -> None:
    sized = replace(
        DEFAULT_ACCEPTANCE,
        n_fitted=1000,
        size_slope=-0.5,
        size_slope_x_log_fingerprints=0.1,
        small_size_slope=0.75,
        small_size_slope_x_log_fingerprints=0.25,
    )
    for n_fingerprints in (1, 12):
        evidence = Evidence(
            mean_similarity=0.5,
            above_cohort=0.1,
            above_neighbors=0.1,
            margin=0.05,
            win_rate=0.6,
            clear_wins=0.1,
            above_shifted=0.1,
            sharpness=0.02,
            z_above_neighbors=1.0,
            steadiness=0.0,
            n_fingerprints=n_fingerprints,
        )
        assert sized.probability(evidence, n_searched=1000) == DEFAULT_ACCEPTANCE.probability(evidence)
        plain, small, large = (sized.probability(evidence, n_searched=n) for n in (1000, 10, 100_000))
        odds = {name: p / (1 - p) for name, p in (("plain", plain), ("small", small), ("large", large))}
        log_n = np.log(n_fingerprints)
        assert odds["small"] / odds["plain"] == pytest.approx(100 ** -(0.75 + 0.25 * log_n), rel=1e-6)
        assert odds["large"] / odds["plain"] == pytest.approx(100 ** -(-0.5 + 0.1 * log_n), rel=1e-6)
    assert Acceptance.from_dict(sized.to_dict()) == sized


@pytest.mark.parametrize("name", SIZE_TERMS)
@pytest.mark.parametrize("value", [float("nan"), 5.1, -5.1, "steep"])
def test_slopes_by_size_are_checked(name: str, value: object) -> None:
    with pytest.raises(CorruptArtifactError, match="acceptance"):
        Acceptance.from_dict({**DEFAULT_ACCEPTANCE.to_dict(), name: value})


def test_manifests_from_before_the_size_was_known_are_read() -> None:
    table = DEFAULT_ACCEPTANCE.to_dict()
    for name in ("n_fitted", *SIZE_TERMS):
        del table[name]
    assert Acceptance.from_dict(table) == DEFAULT_ACCEPTANCE
