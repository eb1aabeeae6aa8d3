"""A song goes on: a prompt's sound to codes, further codes, and all of them to sound."""

from pathlib import Path

import numpy as np
from keras import ops
from numpy.typing import NDArray

from nowplaying_core.audio import rms_dbfs
from nowplaying_core.errors import AudioFormatError
from pretraining.generation.code_run import CodeRun
from pretraining.generation.continuation import continued
from pretraining.mel_to_audio import mel_to_audio

__all__ = ["generate"]

_SILENCE_DBFS = -70.0


def generate(
    run_dir: Path,
    prompt: NDArray[np.float32],
    *,
    duration_s: float,
    seed: int,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> NDArray[np.float32]:
    """Continue a sound.

    The prompt passes through the codes as well, so that it sounds like its continuation.

    Parameters
    ----------
    run_dir : Path
        Of a finished run with codes.
    prompt : ndarray of float32, shape (n,), in [-1, 1]
        Mono at 16 kHz; the end of it counts, as much as the run's clips are long.
    duration_s : float > 0, seconds
        Of what follows, rounded up to whole slices.
    seed : int
        Equal seeds give equal sound.
    temperature, top_k
        As for :func:`~pretraining.generation.continuation.draw_code`.

    Returns
    -------
    ndarray of float32, shape (n_samples,), in [-1, 1]
        The prompt and what follows, at the prompt's level.

    Raises
    ------
    AudioFormatError
        When the prompt is silent or shorter than a slice.
    ConfigError
        When the run cannot be opened or a setting is out of its range.
    """
    run = CodeRun.open(run_dir)
    if len(prompt) < run.slice_samples or rms_dbfs(prompt) < _SILENCE_DBFS:
        found_s, slice_s = (n / run.config.front_end.sample_rate_hz for n in (len(prompt), run.slice_samples))
        message = (
            f"prompt: expected a sound of {slice_s:g} s or more, found {found_s:g} s at {rms_dbfs(prompt):.0f} dBFS; "
            "choose another part of the file"
        )
        raise AudioFormatError(message)
    known = run.listen(prompt)
    n_codes = int(np.ceil(duration_s * run.config.front_end.sample_rate_hz / run.slice_samples))
    rng = np.random.default_rng(seed)
    codes = continued(run, known, n_codes, rng=rng, temperature=temperature, top_k=top_k)
    image = np.asarray(ops.convert_to_numpy(run.quantizer.images(codes[None])))[0, :, :, 0]
    level = float(np.sqrt(np.mean(np.square(prompt[-len(known) * run.slice_samples :], dtype=np.float64))))
    return mel_to_audio(image, run.config.front_end, rms=level, seed=seed)
