"""Arguments and options that several commands share."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nowplaying.cli import complete
from nowplaying_core.errors import ConfigError, NowPlayingError

__all__ = [
    "ON_CORPUS",
    "AllStates",
    "Database",
    "DatabaseArgument",
    "Databases",
    "DecodedCache",
    "DetectorModel",
    "Device",
    "ExtraData",
    "FingerprinterModel",
    "Jobs",
    "Json",
    "MaxFalse",
    "OutFolder",
    "Plot",
    "RawKind",
    "RawRate",
    "RenderedMidi",
    "Report",
    "RunDir",
    "SavedWakes",
    "Seed",
    "SoundCorpus",
    "Sounds",
    "refuse_unused",
    "require_writable",
    "writable_file",
    "writable_folder",
]
ON_CORPUS = "--corpus CORPUS --cache-dir CACHE"
"""Two options of the help's examples."""
_PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")


def refuse_unused(context: typer.Context, why: str, *names: str) -> None:
    """Refuse options that were given and would be passed over, by the names of their parameters."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(why, param_hint=parameter.opts[0])


def writable_file(context: Any, parameter: Any, path: Path | None) -> Path | None:
    """Refuse a file that cannot be written, before the work begins."""
    if path is not None and not context.resilient_parsing:
        _try_folder(parameter.opts[-1], path, path.parent)
        if path.is_dir():
            message = f"{parameter.opts[-1]} {path}: expected a file to write, found a folder"
            raise NowPlayingError(message)
    return path


def _seed(value: int) -> int:
    """Refuse a seed that no generator takes; the help has no room for so large a bound."""
    from nowplaying_core.settings import GREATEST_SEED

    if value > GREATEST_SEED:
        message = f"{value} is not in the range 0<=x<={GREATEST_SEED}."
        raise typer.BadParameter(message)
    return value


def _plot_file(context: Any, parameter: Any, path: Path | None) -> Path | None:
    """Refuse a name of no format that a picture can have, and a place as above."""
    if path is not None and path.suffix.lower() not in _PICTURES:
        message = f"{parameter.opts[-1]} {path}: expected a name that ends in {', '.join(_PICTURES)}"
        raise ConfigError(message)
    return writable_file(context, parameter, path)


def _report_page(context: Any, parameter: Any, path: Path | None) -> Path | None:
    """Refuse a name that is no page's, which the JSON or the CSV beside it would overwrite, and a place as above."""
    if path is not None and path.suffix not in {".html", ".htm"}:
        message = f"{parameter.opts[-1]} {path}: expected a name that ends in .html; JSON and CSV get the same name"
        raise ConfigError(message)
    return writable_file(context, parameter, path)


def writable_folder(context: Any, parameter: Any, path: Path | None) -> Path | None:
    """Refuse a folder that cannot be made or written, before the work begins."""
    if path is not None and not context.resilient_parsing:
        require_writable(parameter.opts[-1], path)
    return path


def require_writable(option: str, path: Path) -> None:
    """Refuse a folder that cannot be made or written, as the value of an option.

    Raises
    ------
    NowPlayingError
    """
    _try_folder(option, path, next(one for one in (path, *path.absolute().parents) if one.exists()))


def _try_folder(option: str, path: Path, folder: Path) -> None:
    try:
        # Permissions alone say too little: a disk may be read-only, and root may write anywhere.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"{option} {path}: cannot be written ({error.strerror}); choose another place"
        raise NowPlayingError(message) from error


Database = Annotated[
    Path,
    typer.Option(
        "--db", help="Song database: a folder NAME.npdb.", show_default=False, autocompletion=complete.databases
    ),
]
Databases = Annotated[
    list[Path],
    typer.Option(
        "--db",
        help="Song database: a folder NAME.npdb; several are searched as one.",
        show_default=False,
        autocompletion=complete.databases,
    ),
]
DatabaseArgument = Annotated[
    Path,
    typer.Argument(metavar="DB", help="Song database: a folder NAME.npdb.", autocompletion=complete.databases),
]
DecodedCache = Annotated[Path, typer.Option("--cache-dir", help="Folder for decoded audio.", show_default=False)]
DetectorModel = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="MODEL",
        help="Shipped name, or a model's folder.",
        autocompletion=complete.detectors,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        help="pixel-2, pixel-3, pixel-6, phone-2026, wearable-mcu, or a .toml file.",
        autocompletion=complete.devices,
    ),
]
ExtraData = Annotated[
    Path | None,
    typer.Option("--extra-data", help="Folder with more recordings to train on, in folders music, noise and speech."),
]
FingerprinterModel = Annotated[
    str,
    typer.Option(
        "--fingerprinter",
        metavar="MODEL",
        help="Shipped name, or a model's folder.",
        autocompletion=complete.fingerprinters,
    ),
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
OutFolder = Annotated[
    Path | None, typer.Option("--out", help="Folder for the JSON and the Markdown.", callback=writable_folder)
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE.png",
        help="Draw the alignment with the best candidate; one file only.",
        callback=_plot_file,
    ),
]
AllStates = Annotated[
    bool, typer.Option("--all-states", help="Show every change of the phone's state, not the answers alone.")
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="OUT.html",
        help="Write a page, with JSON and CSV beside it.",
        callback=_report_page,
    ),
]
RunDir = Annotated[
    Path,
    typer.Option(
        "--run-dir",
        help="Folder for checkpoints, log and weights.",
        show_default=False,
        callback=writable_folder,
    ),
]
SavedWakes = Annotated[
    Path | None,
    typer.Option(
        "--save-wakes",
        help="With --stream: folder for the eight seconds of sound before each wake-up, as WAV.",
        callback=writable_folder,
    ),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything drawn at random.", min=0, callback=_seed)]
SoundCorpus = Annotated[
    Path, typer.Option("--corpus", help="Folder with music, noise, speech and rir.", show_default=False)
]
Sounds = Annotated[list[str], typer.Argument(help="Audio files and folders, or - for raw 16 kHz s16le PCM.")]


RawRate = Annotated[
    int | None,
    typer.Option("--raw-rate", min=1_000, metavar="HZ", help="Rate of raw PCM on standard input; 16000 by default."),
]
RawKind = Annotated[
    Literal["s16le", "s16be", "u8", "s8", "s24le", "s32le", "f32le"] | None,
    typer.Option("--raw-format", metavar="NAME", help="Samples of raw PCM: s16le, s16be, u8, s8, s24le, s32le, f32le."),
]
