"""Multiply-accumulates, against counts by hand."""

import keras
import pytest
from keras import layers

from export.macs import count_macs
from export.tflite import to_float
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.manifest import ModelFolder


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(5, 3, strides=2, padding="same"), 4 * 3 * 5 * 9 * 2),
        (layers.DepthwiseConv2D((3, 1), padding="same"), 8 * 6 * 2 * 3),
        (layers.Dense(7), 8 * 6 * 7 * 2),
        (layers.ReLU(), 0),
    ],
)
def test_layers_by_hand(layer: keras.Layer, expected: int) -> None:
    image = keras.Input((8, 6, 2))
    assert count_macs(to_float(keras.Model(image, layer(image)))) == expected


def test_the_phone_model_has_the_macs_that_its_manifest_states() -> None:
    folder = ModelFolder.open(SHIPPED_FINGERPRINTER, role="fingerprinter")
    n_macs = count_macs(folder.file("encoder.tflite").read_bytes())
    assert n_macs == folder.manifest["encoder"]["n_macs"] == 29_597_184
