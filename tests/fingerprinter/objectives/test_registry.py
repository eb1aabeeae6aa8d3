import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.objectives.config import OBJECTIVE_NAMES, ObjectiveConfig
from fingerprinter.objectives.registry import OBJECTIVES, objective
from fingerprinter.objectives.regularizers import decorrelation
from nowplaying_core.errors import ConfigError

pytestmark = pytest.mark.train


def test_settings_and_registry_know_the_same_names() -> None:
    assert tuple(OBJECTIVES) == OBJECTIVE_NAMES


@pytest.mark.parametrize("name", OBJECTIVE_NAMES)
def test_every_objective_pulls_partners_together(rng: np.random.Generator, name: str) -> None:
    """Gradient steps on the rows themselves bring each pair nearer than it was, and keep strangers apart."""
    rows = keras.Variable(rng.standard_normal((16, 8)).astype(np.float32))
    loss = objective(ObjectiveConfig(name=name, temperature=0.2, margin=1.0, hardest_share=0.5))
    import tensorflow as tf

    def unit() -> tf.Tensor:
        return tf.math.l2_normalize(tf.convert_to_tensor(rows), axis=1)

    def gap() -> float:
        similarity = np.asarray(unit() @ tf.transpose(unit()))
        pairs = np.mean([similarity[row, row + 8] for row in range(8)])
        return float(pairs - (similarity.sum() - 16 * pairs - 16) / (16 * 14))

    before = gap()
    for _ in range(60):
        with tf.GradientTape() as tape:
            value = loss(unit())
        rows.assign(rows - 0.5 * tape.gradient(value, rows.value))
    assert gap() > before + 0.3


def test_terms_are_added_with_their_weight(rng: np.random.Generator) -> None:
    rows = rng.standard_normal((8, 12)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    plain = float(objective(ObjectiveConfig())(rows))
    more = float(objective(ObjectiveConfig(decorrelation_weight=3.0))(rows))
    assert more - plain == pytest.approx(3.0 * float(decorrelation(rows)), rel=1e-3)
    assert float(objective(ObjectiveConfig(quantization_weight=1.0))(rows)) > plain


@pytest.mark.parametrize(
    "wrong",
    [{"name": "l2"}, {"temperature": 0.0}, {"margin": -1.0}, {"hardest_share": 1.5}, {"quantization_weight": -1.0}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="objective"):
        ObjectiveConfig(**wrong)
