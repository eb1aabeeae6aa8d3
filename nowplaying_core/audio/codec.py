"""Sound through a lossy codec and back, in memory."""

import io
from typing import Final, Literal

import numpy as np
import scipy.signal
import soundfile
from numpy.typing import NDArray

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ

__all__ = ["Codec", "through_codec"]

Codec = Literal["mp3", "vorbis", "opus", "gsm"]
_FORMATS: Final[dict[Codec, tuple[str, str]]] = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "gsm": ("WAV", "GSM610"),
}
_TELEPHONE_HZ: Final = 8_000


def through_codec(samples: NDArray[np.float32], codec: Codec, compression: float) -> NDArray[np.float32]:
    """Return what is left of a sound after coding, equally long.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,), in [-1, 1]
        Mono at 16 kHz.
    codec : {"mp3", "vorbis", "opus", "gsm"}
        The last is GSM 06.10 at 8 kHz and 13 kbit/s, as in a call of a mobile telephone.
    compression : float in [0, 1]
        0 is the best quality that the codec offers, 1 the smallest file; GSM has one quality.
    """
    if codec == "gsm":
        band = _coded(scipy.signal.resample_poly(samples, 1, 2), _TELEPHONE_HZ, *_FORMATS[codec], None)
        return _fitted(scipy.signal.resample_poly(band, 2, 1), samples.size)
    return _fitted(_coded(samples, SAMPLE_RATE_HZ, *_FORMATS[codec], compression), samples.size)


def _coded(
    samples: NDArray[np.float32], rate_hz: int, container: str, subtype: str, compression: float | None
) -> NDArray[np.float32]:
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", rate_hz, 1, format=container, subtype=subtype, compression_level=compression
    ) as coded:
        # libvorbis keeps a whole write on the stack: minutes at once end the process.
        for start in range(0, samples.size, rate_hz):
            coded.write(samples[start : start + rate_hz])
    buffer.seek(0)
    decoded: NDArray[np.float32] = soundfile.read(buffer, dtype="float32")[0]
    return decoded


def _fitted(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    fitted = np.zeros(length, np.float32)
    fitted[: samples.size] = samples[:length]
    return fitted
