"""Fingerprints of an evaluation: what is kept belongs to the query's windows and to the recording as it is."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from evaluation.retrieval.compose import compose
from evaluation.retrieval.conditions import Condition
from evaluation.retrieval.embedding import EmbeddingCache, load_long_enough
from evaluation.retrieval.queries import Plan, draw_plan
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from tests.changed_models import changed_fingerprinter
from tests.synthesis import song

SHORT, LONG = Condition(length_s=2.5), Condition(length_s=4.0)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddingCache, EmbeddingCache, Plan]:
    """Return a model with an overhang, the same without, and the queries."""
    folder = tmp_path_factory.mktemp("overhang")
    soundfile.write(folder / "song.wav", song(60, 20.0), 16_000)
    entries = {"query_overhang_s": 0.5, "query_overhang_below_s": 4.0}
    model, without = changed_fingerprinter(folder / "model", entries), changed_fingerprinter(folder / "plain", {})
    path, noise = folder / "song.wav", np.ones(16_000, np.float32)
    samples = load_long_enough(path, folder / "cache")
    plan = draw_plan({path: samples}, [noise], {}, 2, np.random.default_rng(1))
    return EmbeddingCache(model, folder / "cache"), EmbeddingCache(without, folder / "cache"), plan


def test_short_queries_have_the_model_s_overhang(asked: tuple[EmbeddingCache, EmbeddingCache, Plan]) -> None:
    overhanging, plain, plan = asked
    assert overhanging.first_s(SHORT) == -0.5
    assert plain.first_s(SHORT) == overhanging.first_s(LONG) == overhanging.without_overhang().first_s(SHORT) == 0
    found = overhanging.queries(plan, SHORT)
    assert found.shape == (2, 3, 96)
    samples = load_long_enough(plan.queries[1].path, overhanging.folder)
    query = compose(plan.queries[1], samples, SHORT, plan)
    np.testing.assert_array_equal(found[1], overhanging.fingerprinter.embed_query(query).vectors)
    assert plain.queries(plan, SHORT).shape == (2, 1, 96)
    np.testing.assert_array_equal(overhanging.queries(plan, LONG), plain.queries(plan, LONG))


def test_what_is_kept_is_not_mistaken_for_another_overhang(
    asked: tuple[EmbeddingCache, EmbeddingCache, Plan],
) -> None:
    """Both have the same embedding space and the same folder."""
    overhanging, plain, plan = asked
    for _ in range(2):
        assert overhanging.queries(plan, SHORT).shape[1] == 3
        assert overhanging.without_overhang().queries(plan, SHORT).shape[1] == 1
        assert plain.queries(plan, SHORT).shape[1] == 1
    assert overhanging.queries(plan, SHORT).shape[1] == 3


def test_a_recording_that_was_replaced_has_fingerprints_of_its_own(tmp_path: Path) -> None:
    path, cache = tmp_path / "song.wav", EmbeddingCache(SHIPPED_FINGERPRINTER, tmp_path / "cache")
    references, queries = [], []
    for number in (60, 61):
        soundfile.write(path, song(number, 20.0), 16_000)
        samples = load_long_enough(path, cache.folder)
        plan = draw_plan({path: samples}, [np.ones(16_000, np.float32)], {}, 1, np.random.default_rng(1))
        references.append(cache.references([path])[0])
        queries.append(cache.queries(plan, LONG))
        expected = cache.fingerprinter.embed(samples, cache.reference_hop_s)
        np.testing.assert_allclose(references[-1], expected, atol=1e-6)
    assert not np.allclose(references[0], references[1], atol=0.1)
    assert not np.allclose(queries[0], queries[1], atol=0.1)
