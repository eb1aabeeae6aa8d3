"""Sound through a lossy codec and back, in memory."""

import io
from typing import Final, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from nowplaying.audio.pcm import SAMPLE_RATE_HZ

__all__ = ["Codec", "through_codec"]

Codec = Literal["mp3", "vorbis", "opus"]
_FORMATS: Final[dict[Codec, tuple[str, str]]] = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


def through_codec(samples: NDArray[np.float32], codec: Codec, compression: float) -> NDArray[np.float32]:
    """Return what is left of a sound after coding, equally long.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), in [-1, 1]
        Mono at 16 kHz.
    codec : {"mp3", "vorbis", "opus"}
    compression : float in [0, 1]
        0 is the best quality that the codec offers, 1 the smallest file.
    """
    container, subtype = _FORMATS[codec]
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE_HZ, format=container, subtype=subtype, compression_level=compression)
    buffer.seek(0)
    decoded = soundfile.read(buffer, dtype="float32")[0][: samples.size]
    fitted = np.zeros(samples.size, np.float32)
    fitted[: decoded.size] = decoded
    return fitted
