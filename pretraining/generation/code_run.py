"""A finished run with codes, opened: sound to codes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fingerprinter.encoders.log_mel import LogMel
from nowplaying_core.errors import ConfigError
from pretraining.codes.encoder import QUANTIZERS, clip_front_end
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import load_encoder

__all__ = ["CodeRun"]


@dataclass(frozen=True, slots=True)
class CodeRun:
    """What a run with codes has learned.

    Attributes
    ----------
    config : PretrainingConfig
    encoder : keras.Model
    quantizer : Quantizer
    transformer : CodeTransformer
    log_mel : LogMel
        Of a whole clip.
    expecting : keras.Model
        A clip's codes, (n, n_positions), to the logits of each next one, (n, n_positions, n_codes).
    """

    config: PretrainingConfig
    encoder: keras.Model
    quantizer: Any
    transformer: Any
    log_mel: LogMel
    expecting: keras.Model

    @classmethod
    def open(cls, run_dir: Path) -> "CodeRun":
        """Open a run's folder.

        Raises
        ------
        ConfigError
            When it is no run's, the run has not ended, or its method has no codes.
        """
        config, encoder = load_encoder(run_dir)
        if config.method not in QUANTIZERS:
            message = f"{run_dir}: expected a run of {' or '.join(QUANTIZERS)}, found {config.method}"
            raise ConfigError(message)
        transformer = encoder.get_layer("transformer")
        codes = keras.Input((transformer.n_positions,), dtype="int32", name="codes")
        expecting = keras.Model(codes, transformer.logits(transformer(codes)), name="expecting")
        log_mel = LogMel(clip_front_end(config))
        return cls(config, encoder, encoder.get_layer("codes"), transformer, log_mel, expecting)

    @property
    def n_positions(self) -> int:
        """Codes of a clip."""
        return int(self.transformer.n_positions)

    @property
    def slice_samples(self) -> int:
        """Samples of a slice."""
        return self.config.codes.slice_frames * self.config.front_end.hop_samples

    def tokenize(self, samples: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the codes of clips without overlap, (n_clips, n_positions); what is left at the end has none."""
        n_samples = self.n_positions * self.slice_samples
        clips = samples[: len(samples) // n_samples * n_samples].reshape(-1, n_samples)
        if not len(clips):
            return np.zeros((0, self.n_positions), np.int32)
        return np.asarray(self.quantizer(self.log_mel(clips)), np.int32)

    def image(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-mel of the last whole slices of a sound, at most a clip's, (n_mels, n_frames)."""
        n_slices = min(len(samples) // self.slice_samples, self.n_positions)
        known = samples[len(samples) - n_slices * self.slice_samples :]
        log_mel = LogMel(replace(self.config.front_end, window_samples=len(known)))
        return np.asarray(log_mel(known[None]))[0, :, :, 0]

    def listen(self, samples: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return the codes of :meth:`image`, (n_slices,)."""
        return np.asarray(self.quantizer(self.image(samples)[None, :, :, None])[0], np.int32)
