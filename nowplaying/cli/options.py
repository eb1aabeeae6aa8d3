"""Arguments that several commands share, and the sounds that they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nowplaying_core.errors import AudioFormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Database",
    "Databases",
    "DecodedCache",
    "DetectorModel",
    "ExtraData",
    "FingerprinterModel",
    "Jobs",
    "Json",
    "MaxFalse",
    "RenderedMidi",
    "RunDir",
    "Seed",
    "SoundCorpus",
    "Sounds",
    "expand_sources",
    "read_source",
]

Database = Annotated[Path, typer.Option("--db", help="Song database: a folder NAME.npdb.", show_default=False)]
Databases = Annotated[
    list[Path],
    typer.Option("--db", help="Song database: a folder NAME.npdb; several are searched as one.", show_default=False),
]
DecodedCache = Annotated[Path, typer.Option("--cache-dir", help="Folder for decoded audio.", show_default=False)]
DetectorModel = Annotated[str, typer.Option("--detector", metavar="MODEL", help="Shipped name, or a model's folder.")]
ExtraData = Annotated[
    Path | None,
    typer.Option("--extra-data", help="Folder with more recordings to train on, in folders music, noise and speech."),
]
FingerprinterModel = Annotated[
    str, typer.Option("--fingerprinter", metavar="MODEL", help="Shipped name, or a model's folder.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, with a 'schema' field.")]
MaxFalse = Annotated[
    float, typer.Option("--max-false-per-hour", help="Largest rate of false wake-ups of the gate to choose.")
]
RenderedMidi = Annotated[
    Path | None,
    typer.Option("--rendered-midi", help="Folder of music to train on, rendered from MIDI by nowplaying render."),
]
RunDir = Annotated[Path, typer.Option("--run-dir", help="Folder for checkpoints, log and weights.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything drawn at random.", min=0)]
SoundCorpus = Annotated[
    Path, typer.Option("--corpus", help="Folder with music, noise, speech and rir.", show_default=False)
]
Sounds = Annotated[list[str], typer.Argument(help="Audio files and folders, or - for raw 16 kHz s16le PCM.")]


def expand_sources(names: list[str]) -> list[str]:
    """Return the sounds to read: folders searched, files and ``-`` as they are.

    Raises
    ------
    AudioFormatError
        When there is none.
    """
    from nowplaying_core.audio import find_audio

    sources: dict[str, None] = {}
    for name in names:
        sources |= dict.fromkeys(["-"] if name == "-" else [str(path) for path in find_audio([Path(name)])])
    if not sources:
        message = f"{', '.join(names)}: no audio file in there; expected files such as .wav, .flac, .ogg, .opus or .mp3"
        raise AudioFormatError(message)
    return list(sources)


def read_source(source: str) -> "NDArray[np.float32]":
    """Return all samples of a file, or of standard input for ``-``: mono float32 at 16 kHz."""
    import numpy as np

    from nowplaying_core.audio import load, open_stream

    if source != "-":
        return load(Path(source))
    with open_stream("-") as stream:
        return np.concatenate(list(stream))
