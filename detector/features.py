"""Fixed-point features of a DSP's micro front end, the input of the int8 network: 40 values every 10 ms.

The front end is TensorFlow Lite Micro's ``microfrontend`` (30 ms windows every 10 ms, 40 mel channels from 125 to
7500 Hz, noise reduction by spectral subtraction, per-channel gain control, logarithm), all in integers. Its noise
reduction follows Wang et al., "Trainable frontend for robust and far-field keyword spotting", ICASSP 2017, and adapts
over seconds, so its output depends on the sound before: features belong to streams, not to clips. `detector.front_end`
is the same with other settings.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pymicro_features import MicroFrontend

from detector.band_levels import FRAME_HOP_SAMPLES, FRAME_WINDOW_SAMPLES, N_CHANNELS
from detector.front_end import SHIPPED_FRONT_END, FrontEnd, FrontEndSettings
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.errors import ConfigError, ManifestMismatchError

__all__ = [
    "FRAME_HOP_SAMPLES",
    "FRAME_WINDOW_SAMPLES",
    "FULL_SCALE",
    "INPUT_SCALE",
    "INPUT_ZERO_POINT",
    "N_CHANNELS",
    "FeatureStream",
    "features_of",
    "frame_end_s",
    "front_end_of",
    "frontend_settings",
    "quantize",
]

FULL_SCALE: Final = SHIPPED_FRONT_END.full_scale
"""Raw front-end value that maps to the top int8 step. A full-scale square wave gives 670, white noise 665."""

INPUT_SCALE: Final = FULL_SCALE / 256
"""Raw units of one int8 step of the network's input."""

INPUT_ZERO_POINT: Final = -128
"""The int8 step that silence (raw 0) maps to."""

_BINDING_SCALE = 0.0390625  # the Python binding multiplies its uint16 integers by 10 / 256


class FeatureStream:
    """The front end with its memory: PCM in pieces of any length, 10 ms frames out.

    Frame i since the last reset covers samples ``[160 i, 160 i + 480)``. How the samples are cut into calls does not
    change the frames.

    Parameters
    ----------
    settings : FrontEndSettings
        The compiled front end runs those of the shipped detectors, NumPy all others: about as fast on whole recordings.
    """

    def __init__(self, settings: FrontEndSettings = SHIPPED_FRONT_END) -> None:
        self._front_end = _Compiled() if settings == SHIPPED_FRONT_END else FrontEnd(settings)

    def process(self, pcm: NDArray[np.int16]) -> NDArray[np.uint16]:
        """Return the frames that these samples complete.

        Parameters
        ----------
        pcm : ndarray of int16, shape (n,)
            16 kHz mono; any n, also 0.

        Returns
        -------
        ndarray of uint16, shape (n_frames, 40)
            Raw integers of the front end, about 0 (silence) to 670 (full scale).
        """
        return self._front_end.process(pcm)

    def reset(self) -> None:
        """Forget all samples: the next frame is frame 0 of a new stream."""
        self._front_end.reset()


class _Compiled:
    """The binding, which runs the settings of the shipped detectors."""

    def __init__(self) -> None:
        self._frontend = MicroFrontend()
        self._rest = b""

    def process(self, pcm: NDArray[np.int16]) -> NDArray[np.uint16]:
        # The binding takes whole hops only, so the samples left over from the last call wait here.
        data = self._rest + np.ascontiguousarray(pcm, dtype="<i2").tobytes()
        step, frames = 2 * FRAME_HOP_SAMPLES, []
        whole = len(data) - len(data) % step
        for position in range(0, whole, step):
            output = self._frontend.process_samples(data[position : position + step])
            if output.features:
                frames.append(output.features)
        self._rest = data[whole:]
        if not frames:
            return np.empty((0, N_CHANNELS), dtype=np.uint16)
        # The binding returns floats; dividing by its exact factor recovers the integers without loss.
        return np.rint(np.asarray(frames, dtype=np.float64) / _BINDING_SCALE).astype(np.uint16)

    def reset(self) -> None:
        self._frontend.reset()
        self._rest = b""


def quantize(raw: NDArray[np.uint16], full_scale: int = FULL_SCALE) -> NDArray[np.int8]:
    """Return the network's int8 input for raw front-end integers, in integer arithmetic.

    Parameters
    ----------
    raw : ndarray of uint16, any shape
    full_scale : int
        Raw value that maps to the top step.

    Returns
    -------
    ndarray of int8, same shape
        ``(256 raw + 333) // 666 - 128``, saturated: the same as rounding ``raw / INPUT_SCALE`` to the nearest.
    """
    steps = (raw.astype(np.int32) * 256 + full_scale // 2) // full_scale + INPUT_ZERO_POINT
    return np.minimum(steps, 127).astype(np.int8)


def features_of(pcm: NDArray[np.int16], settings: FrontEndSettings = SHIPPED_FRONT_END) -> NDArray[np.int8]:
    """Return the int8 frames of one whole recording, from a reset.

    Parameters
    ----------
    pcm : ndarray of int16, shape (n,), 16 kHz mono
    settings : FrontEndSettings

    Returns
    -------
    ndarray of int8, shape (n_frames, 40)
    """
    return quantize(FeatureStream(settings).process(pcm), settings.full_scale)


def frame_end_s(frame: int) -> float:
    """Return the time in seconds, since the reset, of the last sample that frame number ``frame`` covers."""
    return (frame * FRAME_HOP_SAMPLES + FRAME_WINDOW_SAMPLES) / SAMPLE_RATE_HZ


def frontend_settings(settings: FrontEndSettings = SHIPPED_FRONT_END) -> dict[str, Any]:
    """Return the front end's settings for a manifest, enough to configure the same one in firmware.

    Those of the shipped detectors, which the name stands for, are not written out.
    """
    full_scale = settings.full_scale
    rule = f"(256*raw+{full_scale // 2})//{full_scale}-128"
    return {
        "name": "tflite-micro microfrontend (pymicro-features 2)",
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "window_ms": 30,
        "hop_ms": 10,
        "n_channels": N_CHANNELS,
        "quantization": {"full_scale": full_scale, "zero_point": INPUT_ZERO_POINT, "rule": rule},
        **({} if settings == SHIPPED_FRONT_END else {"settings": settings.to_dict()}),
    }


def front_end_of(manifest: Mapping[str, Any], where: Path) -> FrontEndSettings:
    """Return the front end that a manifest names.

    Raises
    ------
    ManifestMismatchError
        When it is another than these settings describe; names the file.
    """
    found = manifest.get("frontend")
    try:
        given = found.get("settings", {}) if isinstance(found, dict) else {}
        settings = FrontEndSettings.from_dict(given)
    except (ConfigError, TypeError, AttributeError) as error:
        message = f"{where}: frontend: {error}"
        raise ManifestMismatchError(message) from error
    if found != (expected := frontend_settings(settings)):
        message = f"{where}: expected the front end {expected}, found {found}; update both"
        raise ManifestMismatchError(message)
    return settings
