"""The detector's second stage: two-dimensional convolutions over 4.46 s of features, for the doubts of the first.

Separable blocks after Howard et al., "MobileNets", arXiv 1704.04861, without padding: what the convolutions compute of
one frame does not depend on where a window begins, so that a segment of several windows needs one pass in training.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from detector.training.config import SceneConfig, TrainingConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import RunSettings, require_between

__all__ = ["SecondStageConfig", "SecondStageNetwork", "build_second_stage", "folded", "inference_model"]

_BATCH_NORM_EPSILON: Final = 1e-3
_FIRST_KERNEL: Final = (5, 5)
_FIRST_STRIDES: Final = (2, 2)
_BLOCKS: Final = (
    (40, (3, 3), (2, 1)),
    (64, (3, 3), (2, 2)),
    (80, (3, 3), (1, 1)),
    (96, (3, 3), (2, 1)),
    (112, (3, 3), (2, 1)),
    (112, (5, 1), (1, 1)),
    (112, (5, 1), (1, 1)),
)
"""Channels, kernel and strides (time, frequency) of every separable block; the strides' product is 32 frames."""

_FRAME_STRIDE: Final = 32
_POOLED: Final = 4
"""Rest of the 446 frames that the average at the end is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondStageNetwork:
    """Shape of the network.

    Attributes
    ----------
    n_frames, n_channels : int
        Of one input window, the first stage's.
    decision_frames : int
        New frames from one window to the next, the first stage's.
    n_first_filters : int
        Channels of the first convolution, which has 5 x 5 taps and a stride of 2.
    width : float
        Factor on the channels of the seven separable blocks; 1 gives 60,000 weights.
    """

    n_frames: int = 446
    n_channels: int = 40
    decision_frames: int = 64
    n_first_filters: int = 16
    width: float = 1.0

    def __post_init__(self) -> None:
        require_between(self, 0.1, 1_000, *(item.name for item in fields(self)))
        if (self.n_frames, self.n_channels) != (446, 40) or self.decision_frames % _FRAME_STRIDE:
            message = f"expected windows of 446 frames of 40 channels, a multiple of {_FRAME_STRIDE} frames apart, "
            raise ConfigError(message + f"found {self.n_frames} of {self.n_channels}, {self.decision_frames} apart")

    def filters(self, block: int) -> int:
        """Return the channels that a separable block puts out: a multiple of 8."""
        return max(8, 8 * round(_BLOCKS[block][0] * self.width / 8))


@dataclass(frozen=True, kw_only=True, slots=True)
class SecondStageConfig(RunSettings):
    """All settings that a trained second stage depends on.

    Attributes
    ----------
    network : SecondStageNetwork
    scenes : SceneConfig
    training : TrainingConfig
        Those of quantized steps are not used: the graph is quantized after training.
    """

    network: SecondStageNetwork = field(default_factory=SecondStageNetwork)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def build_second_stage(network: SecondStageNetwork) -> keras.Model:
    """Return the trainable network: float32 (batch, frames, channels) in [0, 2), one logit for every 64 frames."""
    inputs = keras.Input((None, network.n_channels))
    images = layers.Reshape((-1, network.n_channels, 1))(inputs)

    def normalized(values: Any, name: str) -> Any:
        values = layers.BatchNormalization(momentum=0.98, epsilon=_BATCH_NORM_EPSILON, name=f"norm.{name}")(values)
        return layers.ReLU()(values)

    first = layers.Conv2D(
        network.n_first_filters, _FIRST_KERNEL, strides=_FIRST_STRIDES, use_bias=False, name="kernel.first"
    )
    images = normalized(first(images), "first")
    for block, (_, kernel, strides) in enumerate(_BLOCKS):
        depthwise, pointwise = f"depthwise.{block}", f"pointwise.{block}"
        convolution = layers.DepthwiseConv2D(
            kernel,
            strides=strides,
            use_bias=False,
            depthwise_initializer=keras.initializers.RandomNormal(0.0, (2 / math.prod(kernel)) ** 0.5, seed=block),
            name=f"kernel.{depthwise}",
        )
        images = normalized(convolution(images), depthwise)
        convolution = layers.Conv2D(network.filters(block), 1, use_bias=False, name=f"kernel.{pointwise}")
        images = normalized(convolution(images), pointwise)
    pooled = layers.AveragePooling2D((_POOLED, 1), strides=(network.decision_frames // _FRAME_STRIDE, 1))(images)
    pooled = layers.SpatialDropout2D(0.1)(pooled)
    logit = layers.Dense(1, name="logit")(pooled)
    return keras.Model(inputs, layers.Reshape((-1, 1))(logit))


def folded(model: keras.Model) -> dict[str, NDArray[np.float32]]:
    """Return the weights with batch normalization inside.

    Returns
    -------
    dict of str to ndarray of float32
        ``"kernel.first"``, ``"bias.first"``, ``"kernel.depthwise.0"``, ..., ``"kernel.logit"``, ``"bias.logit"``, in
        the layouts of Keras's layers.
    """
    arrays = {}
    for name in _convolutions():
        kernel = np.asarray(model.get_layer(f"kernel.{name}").kernel)
        norm = model.get_layer(f"norm.{name}")
        gain = np.asarray(norm.gamma) / np.sqrt(np.asarray(norm.moving_variance) + _BATCH_NORM_EPSILON)
        gain_of_output = gain[:, None] if name.startswith("depthwise") else gain
        arrays[f"kernel.{name}"] = (kernel * gain_of_output).astype(np.float32)
        arrays[f"bias.{name}"] = np.asarray(norm.beta - norm.moving_mean * gain, dtype=np.float32)
    logit = model.get_layer("logit")
    arrays["kernel.logit"], arrays["bias.logit"] = np.asarray(logit.kernel), np.asarray(logit.bias)
    return arrays


def inference_model(network: SecondStageNetwork, arrays: Mapping[str, NDArray[np.float32]]) -> keras.Model:
    """Return the folded network for one window: float32 (batch, 446, 40, 1) in [0, 2) to (batch, 1) in [0, 1]."""
    inputs = keras.Input((network.n_frames, network.n_channels, 1))
    images = layers.Conv2D(
        network.n_first_filters, _FIRST_KERNEL, strides=_FIRST_STRIDES, activation="relu", name="first"
    )(inputs)
    for block, (_, kernel, strides) in enumerate(_BLOCKS):
        depthwise, pointwise = f"depthwise.{block}", f"pointwise.{block}"
        images = layers.DepthwiseConv2D(kernel, strides=strides, activation="relu", name=depthwise)(images)
        images = layers.Conv2D(network.filters(block), 1, activation="relu", name=pointwise)(images)
    images = layers.AveragePooling2D((_POOLED, 1), name="pool")(images)
    logit = layers.Dense(1, activation="sigmoid", name="logit")(layers.Flatten(name="flatten")(images))
    model = keras.Model(inputs, logit)
    for name in (*_convolutions(), "logit"):
        model.get_layer(name).set_weights([arrays[f"kernel.{name}"], arrays[f"bias.{name}"]])
    return model


def _convolutions() -> list[str]:
    return ["first", *(f"{kind}.{block}" for block in range(len(_BLOCKS)) for kind in ("depthwise", "pointwise"))]
