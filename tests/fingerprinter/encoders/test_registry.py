import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from export.fingerprinter import raw_encoder
from export.tflite import to_float, to_int8
from fingerprinter.config import ENCODER_NAMES, EncoderConfig, FrontEndConfig
from fingerprinter.encoders.attention import SpectralTemporalAttention
from fingerprinter.encoders.registry import ENCODERS, build_encoder
from nowplaying_core.errors import ConfigError
from nowplaying_core.runtime import TfliteModel

pytestmark = pytest.mark.train
FRONT_END = FrontEndConfig()
WIDTHS = {"compact": 1.0, "nafp": 0.0625, "now_playing": 0.125, "attention": 0.125, "audio2vec": 1.0}


def small(name: str, **changes: object) -> EncoderConfig:
    return EncoderConfig(name=name, width=WIDTHS[name], channels=(4, 8, 8, 16, 16), dim=16, branch_units=4, **changes)


def images(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.standard_normal((n, FRONT_END.n_mels, FRONT_END.n_frames, 1)).astype(np.float32)


def test_settings_and_registry_know_the_same_names() -> None:
    assert tuple(ENCODERS) == ENCODER_NAMES


@pytest.mark.parametrize("name", ENCODER_NAMES)
def test_rows_have_unit_length_and_width_scales(rng: np.random.Generator, name: str) -> None:
    encoder = build_encoder(small(name), FRONT_END)
    vectors = np.asarray(encoder(images(rng, 3)))
    assert vectors.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    if name not in {"compact", "audio2vec"}:
        wider = EncoderConfig(name=name, width=2 * WIDTHS[name], dim=16, branch_units=4)
        assert build_encoder(wider, FRONT_END).count_params() > 1.5 * encoder.count_params()


@pytest.mark.parametrize("name", ENCODER_NAMES)
def test_int8_export_follows_float(rng: np.random.Generator, name: str, tmp_path) -> None:
    """Builtin operations only, static shapes, and quantized vectors near the float ones."""
    encoder = build_encoder(small(name), FRONT_END)
    inputs = images(rng, 64)
    # Normalisation statistics as after training: random weights alone give wild ranges.
    encoder(inputs, training=True)
    raw = raw_encoder(encoder)
    graphs = {"float": to_float(raw), "int8": to_int8(raw, inputs, output="float32")}
    found = {}
    for kind, content in graphs.items():
        path = tmp_path / f"{kind}.tflite"
        path.write_bytes(content)
        model = TfliteModel(path)
        rows = []
        for image in inputs[:16]:
            answer = model.run(model.input.quantize(image[None]))
            rows.append(model.output.dequantize(answer)[0])
        found[kind] = np.stack(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(found["float"], np.asarray(encoder(inputs[:16])), atol=2e-3)
    cosine = np.sum(found["float"] * found["int8"], axis=1)
    assert cosine.mean() > 0.98


def test_attention_equals_the_formula(rng: np.random.Generator) -> None:
    layer = SpectralTemporalAttention(scale=100.0)
    features = rng.standard_normal((2, 5, 7, 3)).astype(np.float32)
    found = np.asarray(layer(features))
    w_spec, w_temp = np.asarray(layer.spectral)[0, 0], np.asarray(layer.temporal)[0, :, 0]

    def softmax(values: np.ndarray) -> np.ndarray:
        return np.exp(values) / np.exp(values).sum()

    for row in range(2):
        for channel in range(3):
            x = features[row, :, :, channel]
            spectral = softmax(np.tanh(x @ w_spec[:, channel]))
            temporal = softmax(np.tanh(x.T @ w_temp[:, channel]))
            np.testing.assert_allclose(
                found[row, :, :, channel], 100 * np.outer(spectral, temporal) * x, rtol=2e-4, atol=1e-5
            )


def test_the_full_size_is_the_papers() -> None:
    """About 19.6 M weights in the convolutions and 0.2 M in the head of 128 dimensions; images do not count."""
    front_end = FrontEndConfig(window_samples=15_360, fft_samples=512, hop_samples=256, n_mels=64)
    encoder = build_encoder(EncoderConfig(name="attention", dim=128), front_end)
    kernels = [w for w in encoder.trainable_weights if "conv" in w.path and "shortcut" not in w.path and w.ndim == 4]
    assert sum(np.prod(w.shape) for w in kernels) == pytest.approx(19.6e6, rel=0.05)


def test_the_mask_can_be_left_out(rng: np.random.Generator) -> None:
    with_mask, without = (build_encoder(small("attention", attention=on), FRONT_END) for on in (True, False))
    assert with_mask.count_params() > without.count_params()


def test_a_mask_that_begins_as_the_identity_changes_nothing_and_learns(rng: np.random.Generator) -> None:
    layer = SpectralTemporalAttention(None, zeros=True)
    features = rng.standard_normal((2, 5, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(layer(features)), features, rtol=1e-5)
    layer.spectral.assign(rng.standard_normal(layer.spectral.shape))
    assert np.abs(np.asarray(layer(features)) - features).max() > 0.1
    tensorflow = pytest.importorskip("tensorflow")
    layer.spectral.assign(np.zeros(layer.spectral.shape))
    with tensorflow.GradientTape() as tape:
        total = tensorflow.reduce_sum(tensorflow.square(layer(features)))
    assert all(float(np.abs(slope).max()) > 0 for slope in tape.gradient(total, layer.trainable_variables))


def test_masks_sit_on_the_blocks_that_are_named() -> None:
    def names(**changes: object) -> list[str]:
        encoder = build_encoder(small("attention", **changes), FRONT_END)
        layers = [layer.name for layer in encoder.layers]
        return [f"{layers[at - 1]} {name}" for at, name in enumerate(layers) if "attention" in name]

    assert names() == ["block2_relu attention"]
    assert names(masked_blocks=(1, 3), mask_start="identity") == ["block1_relu attention1", "block3_relu attention3"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "resnet"},
        {"width": 0.0},
        {"dim": 0},
        {"channels": ()},
        {"mask_start": "zero"},
        {"masked_blocks": (0, 2)},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="encoder"):
        EncoderConfig(**wrong)
