from dataclasses import replace

import numpy as np
import pytest

from nowplaying_core.errors import CorruptArtifactError
from ondevice_db.match.accept import DEFAULT_ACCEPTANCE, SIZE_TERMS, Acceptance
from ondevice_db.match.evidence import N_FEATURES, Evidence


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
