"""Acceptance is judged out of sample: no track is on both sides, and a fit to its own queries is exposed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.retrieval.acceptance_fit import FalseAcceptRates
from evaluation.retrieval.calibration import (
    BOTH_HALVES,
    CalibrationData,
    calibration_conditions,
    judge,
    sound_conditions,
    split_tracks,
)
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.evaluation_set import build_evaluation_set
from evaluation.retrieval.evaluator import Evaluator
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import ConfigError
from nowplaying_core.statistics import area_under_roc
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.evidence import MEASURES, N_FEATURES
from ondevice_db.match.matcher import Matcher
from ondevice_db.store.store import SongDatabase

N_TRACKS, N_EACH, N_FINGERPRINTS = 14, 20, 12


def features_of(measures: np.ndarray) -> np.ndarray:
    """Return the acceptance model's features of measures of evidence, shape (n, n_measures)."""
    log_n = np.full((len(measures), 1), np.log(N_FINGERPRINTS))
    return np.concatenate([measures, log_n, measures * log_n], axis=1)


def examples_of_chance(rng: np.random.Generator, halves_of_queries: np.ndarray | None = None) -> CalibrationData:
    """Return examples in which each track has evidence of its own that says nothing of any other track."""
    n_measures = len(MEASURES)
    correct, wrong = (np.repeat(rng.standard_normal((N_TRACKS, n_measures)), N_EACH, axis=0) for _ in range(2))
    tracks = np.repeat(np.arange(N_TRACKS), N_EACH)
    halves = split_tracks(tracks.tolist(), rng) if halves_of_queries is None else halves_of_queries
    measures = np.concatenate([correct, wrong])
    noise = 0.01 * rng.standard_normal(measures.shape)
    is_correct = np.arange(2 * tracks.size) < tracks.size
    return CalibrationData(features_of(measures + noise), is_correct, np.tile(halves, 2), 1000)


def test_an_overfit_is_exposed_and_a_leak_would_hide_it() -> None:
    out_of_sample, in_sample, leaking = [], [], []
    for seed in range(20):
        examples = examples_of_chance(np.random.default_rng(seed))
        scores, _ = examples.cross_fit().judge(examples.features, examples.halves)
        out_of_sample.append(area_under_roc(scores, examples.is_correct))
        scores, _ = judge(examples.fit().acceptance, examples.features, examples.n_searched)
        in_sample.append(area_under_roc(scores, examples.is_correct))
        # Halves of queries, not of tracks: every track is on both sides.
        leak = examples_of_chance(np.random.default_rng(seed), np.arange(N_TRACKS * N_EACH) % 2)
        scores, _ = leak.cross_fit().judge(leak.features, leak.halves)
        leaking.append(area_under_roc(scores, leak.is_correct))
    assert len(out_of_sample) == 20
    assert np.mean(out_of_sample) == pytest.approx(0.5, abs=0.08), "chance is chance"
    assert np.mean(in_sample) > 0.8
    assert np.mean(leaking) > 0.8


def test_tracks_are_never_on_both_sides(rng: np.random.Generator) -> None:
    tracks = [f"track {number % 31}" for number in range(500)]
    halves = split_tracks(tracks, rng)
    sides = [{track for track, half in zip(tracks, halves, strict=True) if half == side} for side in (0, 1)]
    assert not sides[0] & sides[1]
    assert sorted(map(len, sides)) == [15, 16]


def test_each_half_is_fitted_without_the_other(rng: np.random.Generator) -> None:
    """Whatever the examples of half 1 are, the model of half 0 stays; those of both halves change both."""
    examples = examples_of_chance(rng)
    examples.halves[-100:] = BOTH_HALVES
    before = [examples.fit(half).acceptance for half in (0, 1)]
    examples.features[examples.halves == 1] *= -3.0
    assert examples.fit(0).acceptance == before[0]
    assert examples.fit(1).acceptance != before[1]
    examples.features[examples.halves == BOTH_HALVES] *= 2.0
    assert examples.fit(0).acceptance != before[0]


def test_drones_are_in_both_fits_and_in_the_table(rng: np.random.Generator) -> None:
    examples = examples_of_chance(rng)
    drones = features_of(rng.standard_normal((6, len(MEASURES))))
    drones[5] = np.nan  # without a candidate
    with_drones = replace(examples, drones=drones)
    for half in (0, 1, None):
        assert with_drones.fit(half).acceptance != examples.fit(half).acceptance
    rates = FalseAcceptRates(full=0.02, short=0.03, drones=0.5)
    table = with_drones.fit(rates=rates).to_dict()["calibration"]
    assert table["n_drones"] == 5
    assert table["false_accept_rates"] == {"full": 0.02, "short": 0.03, "drones": 0.5}
    joined = CalibrationData.join([(examples.features, examples.is_correct, examples.halves)], 1000, [drones, drones])
    assert joined.drones.shape == (12, N_FEATURES)


def test_each_query_is_judged_by_the_other_half(rng: np.random.Generator) -> None:
    examples = examples_of_chance(rng)
    cross_fit = examples.cross_fit()
    scores, accepted = cross_fit.judge(examples.features, examples.halves)
    for half in (0, 1):
        rows = examples.halves == half
        expected = judge(examples.fit(1 - half).acceptance, examples.features[rows], examples.n_searched)
        np.testing.assert_array_equal(scores[rows], expected[0])
        np.testing.assert_array_equal(accepted[rows], expected[1])


def test_a_query_without_a_candidate_is_not_accepted(rng: np.random.Generator) -> None:
    examples = examples_of_chance(rng)
    scores, accepted = judge(examples.fit().acceptance, np.full((2, N_FEATURES), np.nan), examples.n_searched)
    assert scores.tolist() == [0, 0]
    assert not accepted.any()


def test_a_single_track_cannot_be_divided(rng: np.random.Generator) -> None:
    examples = examples_of_chance(rng, np.zeros(N_TRACKS * N_EACH, np.int64))
    with pytest.raises(ConfigError, match="known_features"):
        examples.cross_fit()


@pytest.mark.parametrize(("shortest_s", "lengths_s"), [(0.86, {8.0, 2.0, 1.0}), (1.84, {8.0, 2.0}), (2.5, {8.0})])
def test_a_fit_is_for_one_second_where_that_is_enough_for_a_model(shortest_s: float, lengths_s: set[float]) -> None:
    for of_length in (calibration_conditions(shortest_s), sound_conditions(shortest_s)):
        assert {one.length_s for one in of_length} == lengths_s
        assert len(of_length) == len(set(of_length))
    noisy = {
        (one.length_s, one.snr_db, one.room) for one in calibration_conditions(shortest_s) if one.snr_db is not None
    }
    assert noisy == {(length_s, *kind) for length_s in lengths_s for kind in ((5.0, "none"), (0.0, "simulated"))}


def test_evidence_is_judged_as_the_matcher_judges_it(corpus: Path, tmp_path: Path) -> None:
    model = builtin_model_dir(SHIPPED_FINGERPRINTER)
    data = build_evaluation_set(
        model, corpus, tmp_path / "cache", n_queries=9, n_unknown=4, n_sounds=3, seed=2, room_kinds=()
    )
    run = Evaluator.of(data, seed=2, jobs=1)
    acceptance = acceptance_of(data.embeddings.fingerprinter)
    matcher = Matcher(SongDatabase.open(data.library.database), acceptance)
    condition = Condition(length_s=3.0, snr_db=-3.0)
    for plan in ("known", "unknown"):
        found = run.match(plan, condition)
        scores, accepted = judge(acceptance, found.features, int(data.library.song_starts[-1]))
        first_s = data.embeddings.first_s(condition)
        queries = data.embeddings.queries(data.plans[plan], condition)
        matches = [matcher.match(query, 0.5, first_s=first_s) for query in queries]
        assert accepted.tolist() == [match.best is not None for match in matches]
        np.testing.assert_array_equal(scores, [match.candidates[0].score for match in matches])


def test_duplicates_of_a_track_are_in_its_half(corpus: Path, tmp_path: Path) -> None:
    model = builtin_model_dir(SHIPPED_FINGERPRINTER)
    data = build_evaluation_set(
        model, corpus, tmp_path / "cache", n_queries=9, n_unknown=4, n_sounds=3, seed=2, room_kinds=()
    )
    assert len(set(data.true_songs)) == 3
    data.library.groups[data.true_songs] = data.library.groups[data.true_songs[0]]
    assert len(set(data.halves("known", seed=1))) == 1
