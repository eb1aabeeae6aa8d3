"""Audible examples: a recording, and what is rebuilt of it from each stored form."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from fingerprinter.config import FrontEndConfig
from fingerprinter.encoders.log_mel import LogMel
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import load
from pretraining.audit.attack import Attack
from pretraining.audit.run import StoredForm
from pretraining.diffusion.distance import fingerprints
from pretraining.mel_to_audio import mel_to_audio

__all__ = ["write_examples"]

_log = logging.getLogger(__name__)

_WINDOWS = 4
_START_S = 4.0


def write_examples(
    files: Sequence[Path],
    model: Fingerprinter,
    forms: Mapping[str, StoredForm],
    attacks: Mapping[str, Attack],
    folder: Path,
    *,
    n_steps: int,
) -> list[Path]:
    """Write eight seconds of each file as OGG Vorbis: what its own log-mel allows, and what each attack rebuilds.

    Parameters
    ----------
    files : sequence of Path
        Recordings; from 4 s on, where they are long enough.
    model : Fingerprinter
    forms : mapping of str to callable
    attacks : mapping of str to Attack
    folder : Path
        Receives ``NAME-log-mel.ogg`` and ``NAME-FORM-mean.ogg`` and ``NAME-FORM-sampled.ogg``.
    n_steps : int
        Of sampling.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    AudioFormatError
        When a file cannot be read.
    """
    front_end = FrontEndConfig(**model.folder.manifest["front_end"])
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in files:
        images = _images(load(file), front_end)
        vectors = fingerprints(model, images)
        made = {"log-mel": images}
        for name, attack in attacks.items():
            stored = forms[name](vectors)
            made[f"{name} mean"] = attack.first_images(stored)
            made[f"{name} sampled"] = attack.sampled_images(stored, np.random.default_rng(3), n_steps=n_steps)
        for name, shown in made.items():
            path = folder / f"{file.stem}-{name.replace(' ', '-')}.ogg"
            joined = np.concatenate(list(shown[..., 0]), axis=1)
            soundfile.write(path, mel_to_audio(joined, front_end), front_end.sample_rate_hz, format="OGG")
            written.append(path)
        _log.info("%s: %d windows, %s", file.name, len(images), ", ".join(made))
    return written


def _images(samples: NDArray[np.float32], front_end: FrontEndConfig) -> NDArray[np.float32]:
    """Return the images of consecutive windows, as a database with a hop of one window would know them."""
    window = front_end.window_samples
    start = min(round(_START_S * front_end.sample_rate_hz), max(0, len(samples) - _WINDOWS * window))
    part = samples[start : start + _WINDOWS * window]
    part = np.pad(part, (0, -len(part) % window))
    return np.asarray(LogMel(front_end)(part.reshape(-1, window)), np.float32)
