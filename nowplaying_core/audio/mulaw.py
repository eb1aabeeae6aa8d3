"""Eight-bit mu-law companding (mu = 255): what the always-on ring buffer stores to halve its memory.

The segmented code of ITU-T Recommendation G.711 (1988): a sign, three bits of segment and four bits of step, all bits
inverted. Both directions are table look-ups, as on a DSP.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode", "encode"]

_BIAS = 132  # G.711's 33 in 14-bit units; it makes every segment start at a power of two
_CLIP = 32_635


def _decode_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (((step.astype(np.int32) << 3) + _BIAS) << segment.astype(np.int32)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    # Indexed by the sample's 16 bits read as unsigned, so that a view replaces an addition.
    pcm = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(pcm), _CLIP) + _BIAS
    # frexp is exact for integers; magnitudes of 132..32767 have their top bit at 7..14, which are segments 0..7.
    segment = np.frexp(magnitude.astype(np.float64))[1] - 8
    step = (magnitude >> (segment + 3)) & 15
    sign = np.where(pcm < 0, 0x80, 0)
    codes: NDArray[np.uint8] = (~(sign | (segment << 4) | step) & 0xFF).astype(np.uint8)
    return codes


_DECODE = _decode_table()
_ENCODE = _encode_table()


def encode(pcm: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Return the mu-law codes of 16-bit samples.

    Parameters
    ----------
    pcm : ndarray of int16, any shape

    Returns
    -------
    ndarray of uint8, same shape
    """
    codes: NDArray[np.uint8] = _ENCODE[np.ascontiguousarray(pcm, dtype=np.int16).view(np.uint16)]
    return codes


def decode(codes: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the 16-bit samples of mu-law codes; the error is at most 1/32 of the magnitude plus four.

    Parameters
    ----------
    codes : ndarray of uint8, any shape

    Returns
    -------
    ndarray of int16, same shape, in [-32124, 32124]
    """
    pcm: NDArray[np.int16] = _DECODE[np.asarray(codes, dtype=np.uint8)]
    return pcm
