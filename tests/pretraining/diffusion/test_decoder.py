from dataclasses import replace
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from fingerprinter.config import FrontEndConfig
from nowplaying_core.errors import ConfigError
from pretraining.config.decoder import DecoderConfig
from pretraining.config.run import EncoderConfig, PretrainingConfig
from pretraining.diffusion.critic import adversarial_loss, build_critic
from pretraining.diffusion.decoder import RefinedDecoder
from pretraining.diffusion.perceptual import PerceptualEncoder
from pretraining.encoder import build_encoder
from tests.pretraining.material import small_config, small_decoder

pytestmark = pytest.mark.train
FRONT_END = small_config("random").front_end


def tensors(*arrays: np.ndarray) -> list[Any]:
    return [keras.ops.convert_to_tensor(array) for array in arrays]


def test_a_refiner_that_samples_gives_other_images_each_time_and_a_plain_one_does_not() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    for config, same in ((small_decoder(widths=(8, 12)), False), (small_decoder(diffusion_weight=0.0), True)):
        decoder = RefinedDecoder(config, FRONT_END, 8)
        images = [decoder.rebuild(vectors, np.random.default_rng(seed), n_steps=2) for seed in (1, 2, 1)]
        assert images[0].shape == (3, 32, 32, 1)
        np.testing.assert_array_equal(images[0], images[2])
        assert np.array_equal(images[0], images[1]) == same


def test_noise_for_a_step_is_spread_over_all_times() -> None:
    noise, times = RefinedDecoder(small_decoder(), FRONT_END, 8).draw_noise(10, np.random.default_rng(0))
    assert noise.shape == (10, 32, 32, 1)
    np.testing.assert_array_equal(np.sort(np.floor(times[:, 0] * 10)), np.arange(10))


def test_the_plain_decoder_is_judged_by_what_it_gives() -> None:
    decoder = RefinedDecoder(small_decoder(diffusion_weight=0.0, mse_weight=2.0), FRONT_END, 8)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, 8)).astype(np.float32)
    images, (noise, times) = rng.standard_normal((4, 32, 32, 1)).astype(np.float32), decoder.draw_noise(4, rng)
    loss, judged = decoder.training_loss(*tensors(images, vectors, noise, times))
    given = decoder.rebuild(vectors, rng, n_steps=3)
    np.testing.assert_allclose(judged, given, atol=1e-4)
    assert float(loss) == pytest.approx(2.0 * np.mean((given - images) ** 2), rel=1e-3)


def test_the_sampling_decoders_first_guess_is_judged() -> None:
    decoder = RefinedDecoder(small_decoder(diffusion_weight=0.0), FRONT_END, 8)
    sampling = RefinedDecoder(small_decoder(), FRONT_END, 8)
    sampling.first.set_weights(decoder.first.get_weights())
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, 8)).astype(np.float32)
    images, drawn = np.zeros((4, 32, 32, 1), np.float32), sampling.draw_noise(4, rng)
    loss, judged = sampling.training_loss(*tensors(images, vectors, *drawn))
    np.testing.assert_allclose(judged, decoder.first(vectors), atol=1e-5)
    assert float(loss) > float(np.mean(np.square(judged)))


@pytest.mark.parametrize("spectral", [False, True])
def test_the_two_sides_of_one_adversarial_loss_learn_against_each_other(spectral: bool) -> None:
    tf = pytest.importorskip("tensorflow")
    config = small_decoder(adversarial_weight=1.0, diffusion_weight=0.0, critic_spectral=spectral)
    critic = build_critic(config, FRONT_END)
    rng = np.random.default_rng(0)
    real = tf.constant(rng.standard_normal((2, 32, 32, 1)).astype(np.float32))
    rebuilt = tf.Variable(rng.standard_normal((2, 32, 32, 1)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        loss = adversarial_loss(critic, real, rebuilt, 0.5, 2.0)
        judging = adversarial_loss(critic, real, rebuilt, 0.0)
        *seen, judged = critic(rebuilt)
        apart = [tf.reduce_mean(tf.abs(a - b)) for a, b in zip(seen, critic(real)[:-1], strict=True)]
        fooled = 2.0 * sum(apart) / len(apart) - 0.5 * tf.reduce_mean(judged)
    np.testing.assert_allclose(loss, judging, atol=1e-5)
    # The decoder sees only how to fool the critic, the critic only how to judge.
    np.testing.assert_allclose(tape.gradient(loss, rebuilt), tape.gradient(fooled, rebuilt), atol=1e-6)
    for both, alone in zip(*(tape.gradient(one, critic.trainable_variables) for one in (loss, judging)), strict=True):
        np.testing.assert_allclose(both, alone, atol=1e-5)


def test_kernels_of_a_spectral_critic_have_a_norm_of_one_in_training() -> None:
    critic = build_critic(small_decoder(adversarial_weight=1.0, diffusion_weight=0.0, critic_spectral=True), FRONT_END)
    assert not any(isinstance(layer, keras.layers.LayerNormalization) for layer in critic.layers)
    kernels = [weight for weight in critic.trainable_weights if len(weight.shape) == 4]
    for kernel in kernels:
        kernel.assign(5.0 * kernel)
    for _ in range(50):  # each pass is one step of the power iteration
        critic(np.zeros((2, 32, 32, 1), np.float32), training=True)
    for kernel in kernels:
        matrix = keras.ops.convert_to_numpy(kernel).reshape(-1, kernel.shape[-1])
        assert np.linalg.norm(matrix, 2) == pytest.approx(1.0, abs=0.02)


def test_a_perceptual_encoder_finds_no_difference_to_itself_and_takes_only_a_matching_encoder() -> None:
    config = small_config("random")
    perceptual_encoder = PerceptualEncoder(config.encoder, FRONT_END)
    images = np.random.default_rng(0).standard_normal((2, 32, 32, 1)).astype(np.float32)
    assert float(perceptual_encoder.perceptual_loss(images, images)) == 0.0
    assert float(perceptual_encoder.perceptual_loss(images, -images)) > 0.0
    keras.utils.set_random_seed(9)
    encoder = build_encoder(config)
    before = float(perceptual_encoder.perceptual_loss(images, -images))
    perceptual_encoder.take_weights(config, encoder)
    assert float(perceptual_encoder.perceptual_loss(images, -images)) != before
    assert not perceptual_encoder.trainable_variables
    other = PretrainingConfig(method="random", front_end=FRONT_END, encoder=EncoderConfig(channels=(4, 8), dim=16))
    with pytest.raises(ConfigError, match="expects an encoder"):
        perceptual_encoder.take_weights(other, build_encoder(other))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prediction": "noise"}, "one of v, x"),
        ({"widths": ()}, "positive"),
        ({"mse_weight": -1.0}, "not be negative"),
        ({"diffusion_weight": 0.0, "mse_weight": 0.0, "perceptual_weight": 0.0}, "one must be positive"),
        ({"adversarial_weight": 0.1}, "either samples"),
        ({"critic_rate": 4.0}, "are of a critic"),
        ({"diffusion_weight": 0.0, "adversarial_weight": 0.1, "critic_rate": 0.0}, "positive"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(DecoderConfig(), **changes)


def test_an_image_that_the_levels_do_not_divide_is_refused() -> None:
    odd = FrontEndConfig(window_samples=5_120, fft_samples=320, hop_samples=160, n_mels=36)
    with pytest.raises(ConfigError, match="multiples of"):
        RefinedDecoder(small_decoder(first_channels=(4,), widths=(4, 4, 4)), odd, 8)
