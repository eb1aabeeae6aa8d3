"""Sound through a lossy codec and back, in memory."""

import io
from typing import Final, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ

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
    with soundfile.SoundFile(
        buffer, "w", SAMPLE_RATE_HZ, 1, format=container, subtype=subtype, compression_level=compression
    ) as coded:
        # libvorbis keeps a whole write on the stack: minutes at once end the process.
        for start in range(0, samples.size, SAMPLE_RATE_HZ):
            coded.write(samples[start : start + SAMPLE_RATE_HZ])
    buffer.seek(0)
    decoded = soundfile.read(buffer, dtype="float32")[0][: samples.size]
    fitted = np.zeros(samples.size, np.float32)
    fitted[: decoded.size] = decoded
    return fitted
