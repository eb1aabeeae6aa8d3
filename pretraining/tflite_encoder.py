"""A shipped encoder: its two graphs run by LiteRT, without Keras."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel
from pretraining.config.run import PretrainingConfig

__all__ = ["TfliteEncoder"]


class TfliteEncoder:
    """Front end and encoder of a model folder whose role is "audio_encoder".

    Parameters
    ----------
    source : str or Path
        A shipped name or a folder.

    Attributes
    ----------
    name : str
    embedding_space : str
        What tells one encoder from another.
    config : PretrainingConfig
        Of the run that it comes from.

    Raises
    ------
    ArtifactError
        When there is no such model, or a file differs from its manifest.
    """

    def __init__(self, source: str | Path) -> None:
        folder = ModelFolder.open(source, role="audio_encoder")
        self.name = str(folder.manifest["name"])
        self.embedding_space = str(folder.manifest["embedding_space"])
        self.config = PretrainingConfig.from_dict(folder.manifest["training"]["config"])
        self._front_end = TfliteModel(folder.file("frontend.tflite"))
        self._encoder = TfliteModel(folder.file("encoder.tflite"))

    @property
    def window_samples(self) -> int:
        """Samples at 16 kHz of one window."""
        return self.config.front_end.window_samples

    def embed(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings of sound, (n, window_samples) in [-1, 1] to (n, dim)."""
        images = [self._front_end.run(window[None]) for window in windows.astype(np.float32)]
        return self.predict_on_batch(np.concatenate(images))

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the embeddings of log-mel images, (n, n_mels, n_frames, 1) to (n, dim), as a Keras encoder would."""
        graph = self._encoder
        rows = [graph.output.dequantize(graph.run(graph.input.quantize(image[None]))) for image in images]
        return np.concatenate(rows)
