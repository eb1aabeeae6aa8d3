"""One interface for sound from a file, standard input or a microphone: chunks of mono float32 at 16 kHz."""

import itertools
import logging
import sys
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import soxr
from numpy.typing import NDArray

from nowplaying_core.audio.decode import Part, open_parts
from nowplaying_core.audio.downmix import downmix
from nowplaying_core.audio.memory import MemoryFile
from nowplaying_core.audio.microphone import microphone_frames
from nowplaying_core.audio.pcm import SAMPLE_RATE_HZ
from nowplaying_core.audio.raw import RawFormat, begin, raw_frames, spooled, wav_format
from nowplaying_core.errors import AudioFormatError, ConfigError

__all__ = ["AudioSource", "Sound", "load", "open_stream"]

_log = logging.getLogger(__name__)

Samples = NDArray[np.float32]
Sound = str | Path | tuple[NDArray[Any], int]
"""A sound as users give it: a path, or samples with their rate in Hz."""

_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 1_000, 1_000_000
_READ_SAMPLES = 1_600
_MOST_CHANNELS = 256  # of samples in an array; more are samples in the place of channels
_FAR_ABOVE_FULL_SCALE = 8.0  # lossy codecs and resampling reach 2


class AudioSource:
    """Chunks of sound, whatever they come from; a context manager that frees the file or device.

    Parameters
    ----------
    name : str
        What messages call the source.
    blocks : generator of ndarray of float32
        Mono samples at 16 kHz in blocks of any length.
    chunk_samples : int > 0 or None
        Length of every chunk but the last; None hands the blocks on as they come.
    is_live : bool
        Whether time passes while waiting for the next chunk (microphone).
    """

    def __init__(
        self,
        name: str,
        blocks: Generator[Samples, None, None],
        *,
        chunk_samples: int | None = None,
        is_live: bool = False,
    ) -> None:
        if chunk_samples is not None and chunk_samples < 1:
            message = f"chunk_samples: expected at least 1, found {chunk_samples}"
            raise ConfigError(message)
        self.name = name
        self.is_live = is_live
        self._blocks = blocks
        self._chunk_samples = chunk_samples

    def __iter__(self) -> Iterator[Samples]:
        """Yield the chunks once; a second pass needs a second source."""
        return iter(self._blocks) if self._chunk_samples is None else _rechunk(self._blocks, self._chunk_samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the file, process or device; closing twice is harmless."""
        self._blocks.close()


def load(sound: Sound, *, lenient: bool = False) -> Samples:
    """Read a whole recording: the concatenation of its stream, whatever the chunk size.

    Parameters
    ----------
    sound : str, Path or (samples, sample_rate_hz)
        A file, ``"-"`` for standard input, or samples of any float or signed integer type, shape (n,) or
        (n, n_channels), with their rate.
    lenient : bool
        As of `open_stream`.

    Returns
    -------
    ndarray of float32, shape (n,), n >= 1, in [-1, 1]
        Mono at 16 kHz.

    Raises
    ------
    AudioFormatError
        Naming the file and the reason.

    Examples
    --------
    >>> import numpy as np, nowplaying
    >>> nowplaying.load_audio("query.wav").dtype
    dtype('float32')
    >>> stereo = np.zeros((44_100, 2), np.int16)
    >>> nowplaying.load_audio((stereo, 44_100)).shape
    (16000,)
    """
    given = Path(sound) if isinstance(sound, str) and sound != "-" else sound  # a file called mic is a file
    with open_stream(given, chunk_samples=None, lenient=lenient) as source:
        return np.concatenate(list(source))


def open_stream(
    source: Sound | MemoryFile,
    *,
    chunk_samples: int | None = _READ_SAMPLES,
    stdin: BinaryIO | None = None,
    raw: RawFormat | None = None,
    lenient: bool = False,
) -> AudioSource:
    """Open a file, standard input, a microphone or samples for reading in chunks.

    Parameters
    ----------
    source : str, Path, (samples, sample_rate_hz) or MemoryFile
        A path; ``"-"`` for standard input, which holds an audio file of any kind or raw PCM; ``"mic"`` or
        ``"mic:DEVICE"`` for a microphone, by number or by a part of its name. A file called ``mic`` is ``./mic``.
    chunk_samples : int > 0 or None
        Samples per chunk (the last may be shorter); None lets the source choose. 1,600 samples are 100 ms.
    stdin : binary file, optional
        Read in place of the process's standard input.
    raw : RawFormat, optional
        Of raw PCM on standard input, which is then not looked into; by default signed 16-bit little-endian mono at
        16 kHz where nothing else is recognized.
    lenient : bool
        Where a file is truncated or damaged, read what is there and log a warning.

    Raises
    ------
    AudioFormatError
        When the source cannot be read as audio, at once or while iterating.
    MissingExtraError
        When a microphone is asked for without the ``mic`` extra.
    """
    if isinstance(source, str) and source == "-":
        if stdin is None and sys.stdin is None:
            message = "standard input: it is closed; redirect a file or a pipe to it"
            raise AudioFormatError(message)
        blocks = _standard_input(stdin if stdin is not None else sys.stdin.buffer, chunk_samples, raw, lenient=lenient)
        return AudioSource("standard input", _checked("standard input", blocks), chunk_samples=chunk_samples)
    if isinstance(source, str) and (source == "mic" or source.startswith("mic:")):
        sample_rate_hz, frames = microphone_frames(source.partition(":")[2])
        mono = _to_mono_16k("microphone", sample_rate_hz, (block[:, 0] for block in frames))
        return AudioSource("microphone", _checked("microphone", mono), chunk_samples=chunk_samples, is_live=True)
    if not isinstance(source, str | Path | MemoryFile):
        sample_rate_hz, frames = _given_frames(source)
        mono = _to_mono_16k("samples", sample_rate_hz, downmix("samples", sample_rate_hz, _finite("samples", frames)))
        return AudioSource("samples", _checked("samples", mono), chunk_samples=chunk_samples)
    path = source if isinstance(source, MemoryFile) else Path(source)
    name = str(path)
    parts = open_parts(path, lenient=lenient)
    first = next(parts)  # what is wrong with the file shows at once
    mono = _all_parts(name, itertools.chain([first], parts), parts)
    return AudioSource(name, _checked(name, mono), chunk_samples=chunk_samples)


def _given_frames(sound: Any) -> tuple[int, Iterator[Samples]]:
    """Return the rate of samples and the samples as frames, shape (n, n_channels), in [-1, 1]."""
    if not isinstance(sound, tuple) or len(sound) != 2:
        message = f"sound: expected a path or (samples, sample_rate_hz), found {type(sound).__name__} without a rate"
        raise AudioFormatError(message)
    samples, rate_hz = np.asarray(sound[0]), sound[1]
    if samples.ndim not in {1, 2} or samples.dtype.kind not in "fi":
        found = f"{samples.dtype} {samples.shape}"
        message = f"samples: expected floats or signed integers, shape (n,) or (n, n_channels), found {found}"
        raise AudioFormatError(message)
    if samples.ndim == 2 and samples.shape[1] > _MOST_CHANNELS:
        message = f"samples: expected shape (n, n_channels), found {samples.shape}: give them transposed"
        raise AudioFormatError(message)
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int | float | np.integer | np.floating) or rate_hz % 1 != 0:
        message = f"samples: expected a rate in whole Hz, found {rate_hz!r}"
        raise AudioFormatError(message)
    if not samples.size:
        return int(rate_hz), iter([])
    frames = samples[:, None] if samples.ndim == 1 else samples
    if samples.dtype.kind == "i":
        frames = frames / -float(np.iinfo(samples.dtype).min)
    return int(rate_hz), iter([frames.astype(np.float32)])


def _all_parts(name: str, parts: Iterable[Part], opened: Generator[Part, None, None]) -> Generator[Samples, None, None]:
    try:
        for sample_rate_hz, frames in parts:
            yield from _to_mono_16k(name, sample_rate_hz, downmix(name, sample_rate_hz, _finite(name, frames)))
    finally:
        opened.close()


def _standard_input(
    stream: BinaryIO, chunk_samples: int | None, raw: RawFormat | None, *, lenient: bool
) -> Generator[Samples, None, None]:
    name = "standard input"
    head, kind = (b"", None) if raw is not None else begin(stream)
    known = wav_format(head) if kind == "WAV" else None
    if kind is not None and known is None:
        path = spooled(stream, head)
        try:
            with open_stream(path, chunk_samples=None, lenient=lenient) as source:
                yield from source
        except AudioFormatError as error:
            message = f"{name}: found {kind}, but {str(error).removeprefix(f'{path}: ')}"
            raise AudioFormatError(message) from error
        finally:
            path.unlink(missing_ok=True)
        return
    form, first = known if known is not None else (raw or RawFormat(), 0)
    n_frames = max(1, (chunk_samples or _READ_SAMPLES) * form.rate_hz // SAMPLE_RATE_HZ)
    frames = raw_frames(stream, head[first:], form, n_frames)
    yield from _to_mono_16k(name, form.rate_hz, downmix(name, form.rate_hz, _finite(name, frames)))


def _finite(name: str, frames: Iterator[Samples]) -> Generator[Samples, None, None]:
    """Yield the frames up to the first that is no number; checked before resampling, which would spread it."""
    n_frames = 0
    try:
        for block in frames:
            if not np.isfinite(block).all():
                index = n_frames + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
                message = f"{name}: sample {index} is not a finite number (NaN or infinity); encode the file again"
                raise AudioFormatError(message)
            n_frames += len(block)
            yield block
    finally:
        if isinstance(frames, Generator):
            frames.close()


def _to_mono_16k(name: str, sample_rate_hz: int, mono: Iterator[Samples]) -> Generator[Samples, None, None]:
    """Resample mono samples to 16 kHz; soxr's stream does not depend on block lengths."""
    if not _LOWEST_RATE_HZ <= sample_rate_hz <= _HIGHEST_RATE_HZ:
        message = f"{name}: expected a rate of {_LOWEST_RATE_HZ} to {_HIGHEST_RATE_HZ} Hz, found {sample_rate_hz} Hz"
        raise AudioFormatError(message)
    if sample_rate_hz == SAMPLE_RATE_HZ:
        yield from mono
        return
    resampler = soxr.ResampleStream(sample_rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in mono:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _checked(name: str, blocks: Generator[Samples, None, None]) -> Generator[Samples, None, None]:
    """Clip to [-1, 1] (lossy codecs and resampling overshoot), drop empty blocks, refuse a source without samples."""
    n_samples, is_warned = 0, False
    try:
        for block in blocks:
            if len(block):
                n_samples += len(block)
                peak = float(np.abs(block).max())
                if peak > _FAR_ABOVE_FULL_SCALE and not is_warned:
                    is_warned = True
                    _log.warning("%s: samples reach %.3g times full scale and are clipped; normalize it", name, peak)
                yield np.clip(block, -1.0, 1.0).astype(np.float32, copy=False)
    except MemoryError as error:
        message = f"{name}: there is not enough memory to read this recording; end other programs and try again"
        raise AudioFormatError(message) from error
    finally:
        blocks.close()
    if n_samples == 0:
        message = f"{name}: the recording has no samples"
        raise AudioFormatError(message)


def _rechunk(blocks: Iterable[Samples], chunk_samples: int) -> Iterator[Samples]:
    pending: list[Samples] = []
    n_pending = 0
    for block in blocks:
        pending.append(block)
        n_pending += len(block)
        if n_pending < chunk_samples:
            continue
        joined = np.concatenate(pending)
        n_whole = n_pending - n_pending % chunk_samples
        for start in range(0, n_whole, chunk_samples):
            yield joined[start : start + chunk_samples]
        pending, n_pending = [joined[n_whole:]], n_pending - n_whole
    if n_pending:
        yield np.concatenate(pending)
