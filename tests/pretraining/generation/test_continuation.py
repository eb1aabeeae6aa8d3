import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.errors import ConfigError
from pretraining.generation.continuation import draw_code

pytestmark = pytest.mark.train
LOGITS = np.log([0.1, 0.5, 0.15, 0.25])


def drawn(rng: np.random.Generator, **options: object) -> np.ndarray:
    return np.bincount([draw_code(LOGITS, rng, **options) for _ in range(4000)], minlength=4) / 4000


def test_codes_are_drawn_as_often_as_they_are_expected(rng: np.random.Generator) -> None:
    np.testing.assert_allclose(drawn(rng), [0.1, 0.5, 0.15, 0.25], atol=0.03)


def test_a_lower_temperature_keeps_to_the_likely(rng: np.random.Generator) -> None:
    squared = np.square([0.1, 0.5, 0.15, 0.25])
    np.testing.assert_allclose(drawn(rng, temperature=0.5), squared / squared.sum(), atol=0.03)
    assert draw_code(LOGITS, rng, temperature=0) == 1


def test_only_the_likeliest_are_drawn(rng: np.random.Generator) -> None:
    np.testing.assert_allclose(drawn(rng, top_k=2), [0, 2 / 3, 0, 1 / 3], atol=0.03)


@pytest.mark.parametrize("options", [{"temperature": -0.1}, {"top_k": 0}])
def test_settings_out_of_range(options: dict[str, float], rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="expected a temperature of 0 or more and top-k of 1 or more"):
        draw_code(LOGITS, rng, **options)
