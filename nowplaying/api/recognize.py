"""Name the song in a recording."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER
from nowplaying_core.audio import Sound, load
from ondevice_db.answer import Recognition
from ondevice_db.recognizer import Recognizer

__all__ = ["recognize"]


def recognize(
    sound: Sound,
    database: str | Path | Sequence[str | Path],
    *,
    at_s: float | None = None,
    speeds_percent: float = 0.0,
    model: str | Path = SHIPPED_FINGERPRINTER,
) -> Recognition:
    """Name the song in one recording; `Recognizer.open` is quicker for many.

    Parameters
    ----------
    sound : str, Path or (samples, sample_rate_hz)
        A file, or float or integer samples, shape (n,) or (n, n_channels), with their rate.
    database : path or sequence of paths
        Folders NAME.npdb; several are searched as one.
    at_s : float >= 0, seconds, optional
        Where to begin; by default where the detector is surest of music.
    speeds_percent : 0, or float in [2, 20]
        Where the song is unknown, also try speeds up to so much lower and higher, in steps of two per cent.
    model : str or Path
        Shipped name of a fingerprinter, or a model folder.

    Returns
    -------
    Recognition
        Its ``match`` is None where the music is unknown.

    Raises
    ------
    AudioFormatError, DatabaseError, ArtifactError
        When the sound, the database or the model cannot be used.

    Examples
    --------
    >>> import nowplaying
    >>> answer = nowplaying.recognize("query.wav", "music.npdb")
    >>> answer.match.title, answer.match.artist
    ('Cabin Fever', 'HoliznaCC0')
    >>> abs(answer.match.offset_s - 5.0) < 0.3 and answer.match.score > 0.9
    True
    """
    given: object = sound
    if isinstance(given, np.ndarray):
        load(sound)  # which refuses samples without a rate
    return Recognizer.open(database, model).recognize(sound, at_s, speeds_percent=speeds_percent)
