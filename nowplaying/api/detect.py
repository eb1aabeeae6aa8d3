"""Find the music in a recording."""

from pathlib import Path

import numpy as np

from detector.segments import Detection, Detector
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.audio import Sound, load

__all__ = ["detect"]


def detect(sound: Sound, *, model: str | Path = SHIPPED_DETECTOR) -> Detection:
    """Find the music in one recording; `Detector.open` is quicker for many.

    Parameters
    ----------
    sound : str, Path or (samples, sample_rate_hz)
        A file, or float or integer samples, shape (n,) or (n, n_channels), with their rate.
    model : str or Path
        Shipped name of a detector, or a model folder.

    Returns
    -------
    Detection
        A sequence of segments with start, end and probability, and the probabilities over time.

    Raises
    ------
    AudioFormatError, ArtifactError
        When the sound or the model cannot be used.

    Examples
    --------
    >>> import nowplaying
    >>> (segment,) = nowplaying.detect("query.wav")
    >>> segment.start_s, segment.end_s, segment.probability > 0.9
    (0.0, 20.0, True)
    """
    given: object = sound
    if isinstance(given, np.ndarray):
        load(sound)  # which refuses samples without a rate
    return Detector.open(model).detect(sound)
