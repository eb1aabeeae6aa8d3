import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.methods.random import random_encoder
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


def test_a_seed_is_an_encoder() -> None:
    first, again = (random_encoder(small_config("random")).get_weights() for _ in range(2))
    other = random_encoder(small_config("random", seed=2)).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
