import subprocess
import sys

import numpy as np
import pytest

from nowplaying_core.audio.codec import through_codec
from tests.synthesis import song


@pytest.mark.parametrize("codec", ["mp3", "vorbis", "opus"])
def test_what_comes_back_is_alike_and_equally_long(codec: str) -> None:
    samples = song(3, 3.0)[:40_001]
    decoded = through_codec(samples, codec, 0.5)
    assert decoded.shape == samples.shape
    assert decoded.dtype == np.float32
    spectra = [np.abs(np.fft.rfft(part))[:8000] for part in (samples, decoded)]
    assert np.corrcoef(*spectra)[0, 1] > 0.9
    # In place, not a frame later: the best lag is none, within 2 ms.
    middle = slice(10_000, 30_000)
    lags = range(-400, 401, 8)
    best = max(lags, key=lambda lag: float(samples[middle] @ np.roll(decoded, lag)[middle]))
    assert abs(best) <= 32


def test_a_mobile_telephones_codec_leaves_half_of_the_band() -> None:
    samples = song(3, 3.0)[:40_001]
    decoded = through_codec(samples, "gsm", 0.0)
    assert decoded.shape == samples.shape
    before, after = (np.abs(np.fft.rfft(part)) for part in (samples, decoded))
    low, high = slice(500, 8_000), slice(10_500, 19_000)  # 200 to 3,200 Hz, and what 8 kHz cannot hold
    assert np.corrcoef(before[low], after[low])[0, 1] > 0.8
    assert np.sum(after[high] ** 2) < 0.02 * np.sum(after[low] ** 2)
    lags = range(-400, 401, 8)
    middle = slice(10_000, 30_000)
    best = max(lags, key=lambda lag: float(samples[middle] @ np.roll(decoded, lag)[middle]))
    assert abs(best) <= 32


def test_more_compression_leaves_less() -> None:
    samples = song(4, 3.0)
    errors = [float(np.mean((through_codec(samples, "opus", level) - samples) ** 2)) for level in (0.0, 0.99)]
    assert errors[1] > errors[0] > 0


def test_ten_minutes_at_once_do_not_end_the_process() -> None:
    """libvorbis overflows the stack when it is handed minutes in one write; tried in a process that may die of it."""
    call = "through_codec(numpy.zeros(9_600_000, 'f4'), 'vorbis', 0.9)"
    code = f"import numpy; from nowplaying_core.audio.codec import through_codec; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
