import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from hypothesis import given
from hypothesis import strategies as st

from pretraining.config.decoder import PREDICTIONS
from pretraining.diffusion.process import asked_for, estimates, loss_weight, noisy, shares
from pretraining.diffusion.sampler import sampled

pytestmark = pytest.mark.train


@given(time=st.floats(0.02, 0.98), seed=st.integers(0, 99))
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_what_is_asked_for_tells_image_and_noise(prediction: str, time: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean, noise = rng.standard_normal((2, 3, 4), np.float32)
    at = np.full((3, 1), time, np.float32)
    seen = np.asarray(noisy(clean, noise, at))
    found = estimates(prediction, asked_for(prediction, clean, noise, at), seen, at)
    np.testing.assert_allclose(found[0], clean, atol=1e-4)
    np.testing.assert_allclose(found[1], noise, atol=1e-2)


def test_the_way_begins_with_the_image_and_ends_with_noise_of_the_same_power() -> None:
    signal, noise = (np.asarray(share) for share in shares(np.linspace(0, 1, 9, dtype=np.float32)))
    np.testing.assert_allclose(signal**2 + noise**2, 1.0, atol=1e-6)
    assert (signal[0], noise[0]) == (1.0, 0.0)
    assert abs(signal[-1]) < 1e-6


def test_an_error_of_x_weighs_the_signal_to_noise_ratio_and_at_most_five() -> None:
    times = np.array([0.0, 0.1, 0.5, 1.0], np.float32)
    np.testing.assert_allclose(loss_weight("x", times), [5.0, 5.0, 1.0, 0.0], atol=1e-5)
    np.testing.assert_allclose(loss_weight("v", times), 1.0)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("n_steps", [1, 7])
def test_sampling_finds_what_a_perfect_network_knows(prediction: str, n_steps: int) -> None:
    # All that could be is one image: the network then knows the noise from what it sees.
    wanted = np.random.default_rng(1).standard_normal((2, 5, 4, 1)).astype(np.float32)

    def answer(seen: np.ndarray, time: np.ndarray) -> np.ndarray:
        at = time.reshape(-1, 1, 1, 1)
        signal_share, noise_share = (np.asarray(share) for share in shares(at))
        return np.asarray(asked_for(prediction, wanted, (seen - signal_share * wanted) / noise_share, at))

    noise = np.random.default_rng(2).standard_normal(wanted.shape).astype(np.float32)
    np.testing.assert_allclose(sampled(answer, noise, prediction, n_steps=n_steps), wanted, atol=1e-4)


def test_more_steps_sample_a_spread_that_one_step_averages_away() -> None:
    # Images are unit Gaussians: the best answer for v is zero, and all its samples are the noise they began with.
    noise = np.random.default_rng(3).standard_normal((4000, 1)).astype(np.float32)
    spread = {n: float(sampled(lambda seen, time: 0.0 * seen, noise, "v", n_steps=n).std()) for n in (1, 2, 20)}
    assert spread[1] < 1e-6
    assert 0.4 < spread[2] < spread[20]
    assert spread[20] == pytest.approx(1.0, abs=0.08)
