"""Names that the shell offers after Tab: devices, days, scenes, models, databases, microphones."""

import json
from contextlib import suppress
from pathlib import Path

from nowplaying_core.errors import NowPlayingError

__all__ = ["databases", "days", "detectors", "devices", "fingerprinters", "methods", "models", "scenes", "sources"]


def devices(incomplete: str) -> list[str]:
    """Return the shipped devices."""
    from simulator.energy.device import device_names

    return _starting(incomplete, device_names())


def days(incomplete: str) -> list[str]:
    """Return the kinds of day."""
    from simulator.days.many import AVERAGE
    from simulator.days.scenes import load_scenarios

    return _starting(incomplete, [AVERAGE, *load_scenarios()])


def scenes(incomplete: str) -> list[str]:
    """Return the shipped scenes."""
    from simulator.scenes.scripts import SCENES

    return _starting(incomplete, list(SCENES))


def methods(incomplete: str) -> list[str]:
    """Return the methods of pretraining."""
    from pretraining.config.run import METHOD_NAMES

    return _starting(incomplete, list(METHOD_NAMES))


def detectors(incomplete: str) -> list[str]:
    """Return the shipped detectors, and folders."""
    return _models("detector", incomplete)


def fingerprinters(incomplete: str) -> list[str]:
    """Return the shipped fingerprinters, and folders."""
    return _models("fingerprinter", incomplete)


def models(incomplete: str) -> list[str]:
    """Return the shipped models, and folders."""
    return [*_shipped(incomplete, None), *databases(incomplete)]


def sources(incomplete: str) -> list[str]:
    """Return the microphones of this machine as ``mic:NUMBER``, and files and folders."""
    from nowplaying_core.audio.microphone import microphone_names

    microphones = ["mic"]
    with suppress(NowPlayingError):  # without the mic extra there is only the word
        microphones += [f"mic:{name.partition(':')[0]}" for name in microphone_names()]
    return [*_starting(incomplete, microphones), *(str(path) for path in _entries(incomplete))]


def databases(incomplete: str) -> list[str]:
    """Return databases and the folders on the way to them."""
    return [str(path) for path in _folders(incomplete)]


def _models(role: str, incomplete: str) -> list[str]:
    return [*_shipped(incomplete, role), *(str(path) for path in _folders(incomplete) if incomplete)]


def _shipped(incomplete: str, role: str | None) -> list[str]:
    from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir

    shipped = sorted(builtin_model_dir(SHIPPED_DETECTOR).parent.glob("*/manifest.json"))
    wanted = [path.parent.name for path in shipped if role in (None, json.loads(path.read_text())["role"])]
    return _starting(incomplete, wanted)


def _folders(incomplete: str) -> list[Path]:
    return [path for path in _entries(incomplete) if path.is_dir()]


def _entries(incomplete: str) -> list[Path]:
    given = Path(incomplete)
    parent, start = (given, "") if incomplete.endswith("/") else (given.parent, given.name)
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.name.startswith(start))


def _starting(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
