import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.codes.transformer import CodeTransformer
from pretraining.config.codes import CodeConfig

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def transformer() -> CodeTransformer:
    keras.utils.set_random_seed(2)
    made = CodeTransformer(CodeConfig(n_codes=12, n_fitted=12, dim=8, n_layers=2, n_heads=2), 10)
    made.build((None, 10))
    return made


def test_a_state_knows_nothing_of_what_comes_later(transformer: CodeTransformer, rng: np.random.Generator) -> None:
    codes = rng.integers(12, size=(3, 10)).astype(np.int32)
    changed = codes.copy()
    changed[:, 6] = (changed[:, 6] + 1) % 12
    before, after = (np.asarray(transformer(item)) for item in (codes, changed))
    np.testing.assert_allclose(after[:, :6], before[:, :6], atol=1e-6)
    assert (np.abs(after[:, 6:] - before[:, 6:]).max(axis=(0, 2)) > 1e-3).all(), "and all later ones know"


def test_shorter_sequences_give_the_same_states(transformer: CodeTransformer, rng: np.random.Generator) -> None:
    codes = rng.integers(12, size=(2, 10)).astype(np.int32)
    whole, part = np.asarray(transformer(codes)), np.asarray(transformer(codes[:, :4]))
    np.testing.assert_allclose(part, whole[:, :4], atol=1e-5)


def test_order_matters(transformer: CodeTransformer) -> None:
    one, other = (np.asarray(transformer(np.array([codes], np.int32)))[0, -1] for codes in ([1, 2, 3], [2, 1, 3]))
    assert np.abs(one - other).max() > 1e-4
