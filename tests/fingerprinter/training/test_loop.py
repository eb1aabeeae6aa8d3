import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")

from fingerprinter.training.loop import learning_rate, prefetch

pytestmark = pytest.mark.train


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    rates = [learning_rate(step, peak=2e-3, n_warmup=10, n_steps=100) for step in range(100)]
    assert rates[9] == pytest.approx(2e-3)
    assert np.all(np.diff(rates[:10]) > 0)
    assert np.all(np.diff(rates[10:]) <= 0)
    assert rates[-1] < 2e-6


def test_a_step_sees_the_same_batch_wherever_a_run_begins() -> None:
    whole = dict(prefetch(lambda rng: float(rng.random()), seed=3, steps=range(6)))
    later = dict(prefetch(lambda rng: float(rng.random()), seed=3, steps=range(4, 6)))
    assert later == {step: whole[step] for step in (4, 5)}
    assert len(set(whole.values())) == 6


def test_an_error_of_the_drawing_thread_reaches_the_training() -> None:
    def draw(rng: np.random.Generator) -> float:
        message = "no such recording"
        raise OSError(message)

    with pytest.raises(OSError, match="no such recording"):
        list(prefetch(draw, seed=1, steps=range(3)))
