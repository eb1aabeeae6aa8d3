"""The microphone, through the optional sounddevice package."""

import logging
import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ
from nowplaying_core.errors import AudioFormatError, MissingExtraError

__all__ = ["microphone_frames", "microphone_names"]

_log = logging.getLogger(__name__)
_BLOCK_S = 0.1


def microphone_frames(device: str) -> tuple[int, Iterator[NDArray[np.float32]]]:
    """Open a microphone at 16 kHz, or at its own rate where it refuses that.

    Parameters
    ----------
    device : str
        Empty for the default input, else its number or a part of its name.

    Returns
    -------
    sample_rate_hz : int
    blocks : iterator of ndarray of float32, shape (n, 1)
        100 ms each, until closed. A block in which a sample is no finite number is silence.

    Raises
    ------
    MissingExtraError
        Without sounddevice or the PortAudio library it needs.
    AudioFormatError
        When there is no such device or it cannot be opened.
    """
    sounddevice = _sounddevice()
    chosen: int | str | None = int(device) if device.isdecimal() else device or None
    try:
        details = sounddevice.query_devices(chosen, "input")
        sample_rate_hz = SAMPLE_RATE_HZ
        try:
            sounddevice.check_input_settings(device=chosen, channels=1, dtype="float32", samplerate=sample_rate_hz)
        except sounddevice.PortAudioError:
            sample_rate_hz = round(details["default_samplerate"])
    except (ValueError, sounddevice.PortAudioError) as error:
        message = (
            f"microphone {device or '(default)'}: cannot be opened ({error}); see 'nowplaying doctor' for the list"
        )
        raise AudioFormatError(message) from error
    return sample_rate_hz, _blocks(sounddevice, chosen, sample_rate_hz)


def microphone_names() -> list[str]:
    """Return ``"NUMBER: NAME"`` of every input device.

    Raises
    ------
    MissingExtraError
        Without sounddevice or PortAudio.
    """
    devices = _sounddevice().query_devices()
    return [f"{index}: {entry['name']}" for index, entry in enumerate(devices) if entry["max_input_channels"] > 0]


def _sounddevice() -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the package is there, its PortAudio library is not
        extra, purpose = "mic", "a microphone"
        raise MissingExtraError(extra, purpose, error) from error
    return sounddevice


def _blocks(sounddevice: Any, device: int | str | None, sample_rate_hz: int) -> Iterator[NDArray[np.float32]]:
    blocks: queue.SimpleQueue[NDArray[np.float32] | None] = queue.SimpleQueue()

    losses: list[str] = []

    def hand_over(samples: NDArray[np.float32], _n: int, _times: object, status: object) -> None:
        if status and not losses:
            losses.append(str(status))
        blocks.put(samples.copy())  # PortAudio reuses its buffer

    def end() -> None:
        blocks.put(None)  # who waits for the next block of a device that is gone would wait for ever

    options = {
        "device": device,
        "samplerate": sample_rate_hz,
        "channels": 1,
        "dtype": "float32",
        "blocksize": round(_BLOCK_S * sample_rate_hz),
    }
    try:
        with sounddevice.InputStream(**options, callback=hand_over, finished_callback=end):
            is_told = is_told_of_numbers = False
            while (block := blocks.get()) is not None:
                if losses and not is_told:
                    is_told = True
                    _log.warning("microphone: sound was lost (%s); is this machine too busy?", losses[0])
                if np.isfinite(block).all():
                    yield block
                    continue
                # A file with such samples is refused; who listens all day has no better sound to give.
                if not is_told_of_numbers:
                    is_told_of_numbers = True
                    _log.warning(
                        "microphone: it gives samples that are no finite numbers (NaN or infinity); "
                        "%.1f s around each count as silence",
                        _BLOCK_S,
                    )
                yield np.zeros_like(block)
    except sounddevice.PortAudioError as error:
        message = f"microphone: recording stopped ({error}); check that it is plugged in and not in use"
        raise AudioFormatError(message) from error
    message = "microphone: recording stopped; check that it is plugged in and not in use"
    raise AudioFormatError(message)
