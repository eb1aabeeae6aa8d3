"""The residual network with channel-wise spectral-temporal attention of Singh et al. 2022, width-scalable.

"Attention-Based Audio Embeddings for Query-by-Example", ISMIR 2022. Where the mask sits by default: once, on the output
of the second residual block, after both axes have been halved the first time (the paper's equations are blank in the
text that was at hand; two public re-implementations agree on the form, not on the place). How it is quantized: the two
softmaxes stay in [0, 1] and have TFLite's fixed int8 grid of 1/256; the scale S is split evenly between them, so that
neither factor leaves the range that its grid can tell apart.
"""

from typing import Any, Final

import keras
from keras import layers, ops

from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.head import encode
from fingerprinter.encoders.norm import convolved

__all__ = ["SpectralTemporalAttention", "build_attention"]

_CHANNELS: Final = (32, 64, 128, 256, 512, 1024)
_STEM_CHANNELS: Final = 32
_SCALE: Final = 100.0
_DEFAULT_BLOCK: Final = 2
_HEAD_UNITS: Final = 32


@keras.saving.register_keras_serializable(package="nowplaying")
class SpectralTemporalAttention(layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Weigh every channel's bands and frames: ``X' = S (a_spec a_temp^T) o X``.

    ``a_spec = softmax_F(tanh(X W_spec))`` and ``a_temp = softmax_T(tanh(X^T W_temp))``, one weight vector a channel:
    ``W_spec`` has shape (n_frames, n_channels), ``W_temp`` (n_bands, n_channels).

    Input and output shape: (n_batch, n_bands, n_frames, n_channels).

    Parameters
    ----------
    scale : float > 0, optional
        S, which makes up for masks that sum to one over each axis; by default the number of bands times that of frames.
    zeros : bool
        Begin with zero weights, under which all bands and frames weigh alike; with the default scale they weigh 1.
    """

    def __init__(self, scale: float | None = _SCALE, *, zeros: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.scale, self.zeros = scale, zeros

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the two projections."""
        _, n_bands, n_frames, n_channels = input_shape
        shapes = {"spectral": (1, 1, n_frames, n_channels), "temporal": (1, n_bands, 1, n_channels)}
        for name, shape in shapes.items():
            start = "zeros" if self.zeros else keras.initializers.RandomNormal(0.0, 0.05)
            weight = self.add_weight(shape=shape, initializer=start, name=name)
            setattr(self, name, weight)
        super().build(input_shape)

    def call(self, features: Any) -> Any:
        """Mask a batch of feature maps."""
        _, n_bands, n_frames, _ = features.shape
        root = (n_bands * n_frames if self.scale is None else self.scale) ** 0.5
        over_frames = ops.sum(features * self.spectral, axis=2, keepdims=True)
        over_bands = ops.sum(features * self.temporal, axis=1, keepdims=True)
        spectral = ops.softmax(ops.tanh(over_frames), axis=1) * root
        temporal = ops.softmax(ops.tanh(over_bands), axis=2) * root
        return features * spectral * temporal

    def get_config(self) -> dict[str, Any]:
        """Return the layer's settings for serialization."""
        return {**super().get_config(), "scale": self.scale, "zeros": self.zeros}


def build_attention(config: EncoderConfig, front_end: FrontEndConfig) -> keras.Model:
    """Build the stem, six residual blocks (stride 2 and twice the channels from the second), the mask and the head."""
    image = keras.Input((front_end.n_mels, front_end.n_frames, 1), name="log_mel")
    features = convolved(image, config.scaled(_STEM_CHANNELS), 3, 1, "stem")
    for index, channels in enumerate(_CHANNELS, start=1):
        width = config.scaled(channels, config.dim if index == len(_CHANNELS) else 8)
        features = _residual(features, width, 1 if index == 1 else 2, f"block{index}")
        if config.attention and index in config.masked_blocks:
            is_identity = config.mask_start == "identity"
            name = "attention" if index == _DEFAULT_BLOCK else f"attention{index}"
            scale = None if is_identity else _SCALE
            features = SpectralTemporalAttention(scale, zeros=is_identity, name=name)(features)
    return keras.Model(image, encode(features, config.dim, _HEAD_UNITS, "elu"), name="encoder")


def _residual(features: Any, channels: int, stride: int, name: str) -> Any:
    shortcut = features
    if stride > 1 or features.shape[-1] != channels:
        # Thinned first and not by a strided convolution, which is the same: with 8 channels its gradient in oneDNN 3's
        # kernel for AVX-512 writes past the end of a buffer (jit_1x1, mb256_ic8oc8_ih96oh48kh1sh2).
        thinned = layers.MaxPooling2D(1, stride, name=f"{name}_thinned")(features) if stride > 1 else features
        shortcut = convolved(thinned, channels, 1, 1, f"{name}_shortcut", activation=None)
    inner = convolved(features, channels, 3, stride, f"{name}_first")
    inner = convolved(inner, channels, 3, 1, f"{name}_second", activation=None)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([inner, shortcut]))
