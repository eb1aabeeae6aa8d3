import io

import numpy as np
import soundfile

from nowplaying_core.audio import mulaw

ALL_PCM = np.arange(-32_768, 32_768).astype(np.int16)


def test_equals_the_codec_of_libsndfile_for_every_sample() -> None:
    file = io.BytesIO()
    soundfile.write(file, ALL_PCM, 8_000, format="WAV", subtype="ULAW")
    file.seek(0)
    expected, _ = soundfile.read(file, dtype="int16")
    np.testing.assert_array_equal(mulaw.decode(mulaw.encode(ALL_PCM)), expected)


def test_known_codes_of_g711() -> None:
    assert mulaw.encode(np.array([0, -1, 32_767, -32_768], np.int16)).tolist() == [0xFF, 0x7F, 0x80, 0x00]


def test_coding_twice_changes_nothing() -> None:
    once = mulaw.decode(mulaw.encode(ALL_PCM))
    np.testing.assert_array_equal(mulaw.decode(mulaw.encode(once)), once)


def test_error_is_at_most_half_a_step_of_the_segment() -> None:
    pcm = ALL_PCM[np.abs(ALL_PCM.astype(int)) <= 32_635].astype(int)
    error = np.abs(mulaw.decode(mulaw.encode(pcm.astype(np.int16))).astype(int) - pcm)
    assert (32 * error <= np.abs(pcm) + 132).all()
