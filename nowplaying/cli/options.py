"""Arguments that several commands share, and the sounds that they name."""

from pathlib import Path
from typing import Annotated

import typer

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
    from nowplaying.api.index import audio_files
    from nowplaying_core.audio import find_audio

    sources: dict[str, None] = {}
    for name in names:
        sources |= dict.fromkeys(["-"] if name == "-" else [str(path) for path in find_audio([Path(name)])])
    return list(sources) or [str(path) for path in audio_files(names)]  # which says what it looked for
