"""The sounds that commands read, by their names on the command line."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nowplaying.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from nowplaying_core.audio import AudioSource

__all__ = ["announced", "expand_sources", "sound_of", "watched", "write_wav"]


def sound_of(source: str, rate_hz: int | None, kind: str | None) -> "str | AudioSource":
    """Return what to read: standard input with its stated format, or the source as it is, whose content decides."""
    from nowplaying_core.audio import SAMPLE_RATE_HZ, open_stream
    from nowplaying_core.audio.raw import RawFormat
    from nowplaying_core.errors import ConfigError

    if rate_hz is None and kind is None:
        return source
    if source != "-":
        message = (
            f"--raw-rate and --raw-format describe raw PCM on standard input: expected the input -, found {source}; "
            "leave them out, or redirect the file and name the input -"
        )
        raise ConfigError(message)
    raw = RawFormat(rate_hz=rate_hz or SAMPLE_RATE_HZ, encoding=kind or "s16le")
    return open_stream("-", chunk_samples=SAMPLE_RATE_HZ // 10, raw=raw)


def watched(
    source: "str | AudioSource",
    show: Callable[[str], None],
    label: str,
    measure: Callable[[float], object] = lambda _: None,
) -> "AudioSource":
    """Return a sound that shows and measures, while it is read, how many seconds of it have been."""
    from nowplaying_core.audio import SAMPLE_RATE_HZ, AudioSource, open_stream
    from nowplaying_core.text import clock

    show(label)
    given = Path(source) if isinstance(source, str) and source != "-" else source
    opened = given if isinstance(given, AudioSource) else open_stream(given, chunk_samples=SAMPLE_RATE_HZ, lenient=True)

    def blocks() -> "Generator[NDArray[np.float32], None, None]":
        n_samples = 0
        with opened:
            for block in opened:
                show(f"{label} ({clock(n_samples / SAMPLE_RATE_HZ)})")
                n_samples += block.size
                measure(n_samples / SAMPLE_RATE_HZ)
                yield block

    return AudioSource(opened.name, blocks(), is_live=opened.is_live)


def expand_sources(names: list[str]) -> list[str]:
    """Return the sounds to read: folders searched, files and ``-`` as they are.

    Raises
    ------
    AudioFormatError
        When there is none.
    """
    from nowplaying.api.index import audio_files
    from nowplaying_core.audio import find_audio

    sources: dict[str, None] = {}
    if "" in names:
        audio_files(names)  # which refuses it
    for name in names:
        sources |= dict.fromkeys(["-"] if name == "-" else [str(path) for path in find_audio([Path(name)])])
    return list(sources) or [str(path) for path in audio_files(names)]  # which says what it looked for


def announced(microphone: str) -> "AudioSource":
    """Return a microphone that says so when its first sound is there."""
    from nowplaying_core.audio import AudioSource, open_stream

    opened = open_stream(microphone)

    def chunks() -> "Generator[NDArray[np.float32], None, None]":
        with opened:
            for number, chunk in enumerate(opened):
                if number == 0:
                    note("listening; Ctrl-C ends it")
                yield chunk

    return AudioSource(opened.name, chunks(), is_live=opened.is_live)


def write_wav(path: Path, samples: "NDArray[np.float32]") -> None:
    """Write a recording of 16 kHz in 16 bits, whole or not at all."""
    import soundfile

    from nowplaying_core.artifacts import write_bytes
    from nowplaying_core.audio import SAMPLE_RATE_HZ

    content = io.BytesIO()  # libsndfile does not say what is wrong with a disk
    soundfile.write(content, samples, SAMPLE_RATE_HZ, "PCM_16", format="WAV")
    write_bytes(path, content.getvalue())
