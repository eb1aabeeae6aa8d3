from dataclasses import replace

import numpy as np
import pytest

from export.parity.layers import FloatLayer, compare_layers, weighted_layers
from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.errors import ManifestMismatchError

GRAPH = (builtin_model_dir(SHIPPED_DETECTOR) / "detector.tflite").read_bytes()


def float_layers(layers, rng, n: int = 3) -> list[FloatLayer]:
    return [
        FloatLayer(
            str(number),
            layer.kernel,
            layer.bias,
            layer.scale * (rng.integers(-100, 100, (n, *layer.shape)) - layer.zero_point).astype(float),
        )
        for number, layer in enumerate(layers)
    ]


def test_layers_come_in_the_order_in_which_they_run() -> None:
    layers = weighted_layers(GRAPH)
    assert [layer.operator for layer in layers[:3]] == ["DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D"]
    assert [layer.shape[1] for layer in layers] == [32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1, 1, 1]


def test_errors_are_counted_in_steps_and_decibels(rng) -> None:
    layers = weighted_layers(GRAPH)[:2]
    expected = float_layers(layers, rng)
    outputs = [
        np.rint(one.outputs / layer.scale + layer.zero_point) for one, layer in zip(expected, layers, strict=True)
    ]
    clean = compare_layers(layers, [one.astype(np.int8) for one in outputs], expected)
    assert all(one.kernel_steps == one.bias_steps == one.error_steps == 0 and one.snr_db > 200 for one in clean)

    harmed = [(one + 3).clip(-128, 127).astype(np.int8) for one in outputs]
    kernel = expected[1].kernel.copy()
    kernel[2, 0, 0, 5] += 1.7 * layers[1].kernel_scale.ravel()[0]
    expected[1] = FloatLayer("1", kernel, expected[1].bias - 2 * layers[1].bias_scale, expected[1].outputs)
    first, second = compare_layers(layers, harmed, expected)
    assert first.error_steps == pytest.approx(3.0)
    power = np.mean(expected[0].outputs ** 2)
    assert first.snr_db == pytest.approx(10 * np.log10(power / (3 * layers[0].scale) ** 2))
    assert second.kernel_steps == pytest.approx(1.7)
    assert second.bias_steps == pytest.approx(2.0)


def test_two_networks_are_not_compared(rng) -> None:
    layers = weighted_layers(GRAPH)[:2]
    with pytest.raises(ManifestMismatchError, match="kernels"):
        compare_layers(layers, [], float_layers(layers, rng)[::-1])


def test_a_fully_connected_layer_is_compared_with_the_convolution_in_its_place(rng) -> None:
    layers = weighted_layers(GRAPH)[-1:]
    (trained,) = float_layers(layers, rng)
    assert trained.kernel.shape[1:3] == (1, 1)
    trained = replace(trained, kernel=trained.kernel[:, 0, 0])
    outputs = np.rint(trained.outputs / layers[0].scale + layers[0].zero_point).astype(np.int8)
    (error,) = compare_layers(layers, [outputs], [trained])
    assert error.kernel_steps == error.error_steps == 0
