"""The log-mel front end as a Keras layer: the one definition that training uses and the exporter converts."""

from typing import Any

import keras
from keras import ops

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import hann_window, mel_filters

__all__ = ["LogMel"]


@keras.saving.register_keras_serializable(package="nowplaying")
class LogMel(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Turn windows of samples into normalised log-mel images.

    Input shape: (n_batch, window_samples) float32 in [-1, 1]. Output shape: (n_batch, n_mels, n_frames, 1) float32
    in [-clip, clip]. Each window is scaled to unit RMS first, so the result does not depend on the level, and the
    mean of its log-mel is removed.

    Parameters
    ----------
    config : FrontEndConfig, optional
    """

    def __init__(self, config: FrontEndConfig | None = None, **options: Any) -> None:
        super().__init__(**{**options, "trainable": False})
        self.config = config or FrontEndConfig()
        self._window = hann_window(self.config)
        self._filters = mel_filters(self.config)

    def call(self, samples: Any) -> Any:
        """Compute the images of a batch of windows."""
        config = self.config
        mean_square = ops.mean(ops.square(samples), axis=1, keepdims=True)
        signal = samples / ops.sqrt(mean_square + 1e-10)
        half_hop = config.hop_samples // 2
        blocks = ops.reshape(
            ops.pad(signal, ((0, 0), (half_hop, half_hop))), (-1, config.n_frames + 1, config.hop_samples)
        )
        # A frame is two neighbouring hop blocks: no gather, so the converted graph stays with plain operations.
        frames = ops.concatenate([blocks[:, :-1], blocks[:, 1:]], axis=2) * self._window
        real, imaginary = ops.rfft(frames, fft_length=config.spectrum_samples)
        power = ops.square(real) + ops.square(imaginary)
        log_mel = ops.log(ops.matmul(power, self._filters) + config.floor)
        centred = (log_mel - ops.mean(log_mel, axis=(1, 2), keepdims=True)) / config.scale
        clipped = ops.clip(centred, -config.clip, config.clip)
        return ops.expand_dims(ops.transpose(clipped, (0, 2, 1)), -1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n_batch, n_mels, n_frames, 1)."""
        return (input_shape[0], self.config.n_mels, self.config.n_frames, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the layer's settings for serialization."""
        return {**super().get_config(), "config": self.config.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LogMel":
        """Rebuild the layer from :meth:`get_config`."""
        settings = dict(config)
        return cls(FrontEndConfig(**settings.pop("config")), **settings)
