"""``nowplaying doctor``: check the installation."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import typer

from nowplaying.cli.options import Json
from nowplaying.cli.output import emit_json, paragraph, say, table
from nowplaying_core import __version__
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import EXIT_FOUND, MissingExtraError, NowPlayingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["doctor"]

_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "annoy", "pymicro-features", "simpy", "tinytag")
_OPTIONAL = {
    "tensorflow": ("train", "trains and exports"),
    "keras": ("train", "trains and exports"),
    "faiss-cpu": ("train", "trains codebooks"),
    "tflite-micro": ("micro", "measures a microcontroller's memory"),
    "sounddevice": ("mic", "records from a microphone"),
    "matplotlib": ("report", "draws pictures"),
    "uvicorn": ("serve", "serves the web page"),
    "zstandard": ("delta", "makes and applies deltas"),
    "cryptography": ("sign", "signs databases"),
}
"""The extra that brings a package, and what the package does here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    status: Literal["ok", "absent", "FAILED"]
    detail: str
    exit_code: int = EXIT_FOUND


def doctor(as_json: Json = False) -> None:
    """Check the installation: packages, runtime, microphones, and the shipped models on a test sound."""
    checks = [
        Check("nowplaying", "ok", f"{__version__}, Python {sys.version.split()[0]}"),
        *[_package(name, optional=False) for name in _PACKAGES],
        *[_package(name, optional=True) for name in _OPTIONAL],
        _try("runtime", _runtime),
        _ffmpeg(),
        _try("microphones", _microphones),
        _try(SHIPPED_DETECTOR, _detector),
        _try(SHIPPED_FINGERPRINTER, _fingerprinter),
        _try("annoy index", _annoy),
    ]
    if as_json:
        for check in checks:
            emit_json("check/1", {"name": check.name, "status": check.status.lower(), "detail": check.detail})
    else:
        _print(checks)
    raise typer.Exit(max(check.exit_code for check in checks))


def _print(checks: list[Check]) -> None:
    packages = {check.name: check for check in checks if check.name in _PACKAGES and check.status == "ok"}
    listed = ", ".join(f"{name} {check.detail}" for name, check in packages.items())
    rows = [["ok", "packages", listed]] if packages else []
    rows += [[check.status, check.name, check.detail] for check in checks if check.name not in packages]
    table(["", "what", "found"], rows)
    failed = [check.name for check in checks if check.status == "FAILED"]
    absent = sum(check.status == "absent" for check in checks)
    say("")
    if absent:
        paragraph(
            "In a checkout, pip install -e '.[EXTRA]' installs an extra; with a wheel, pip install 'WHEEL[EXTRA]'."
        )
    if failed:
        say(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}.")
    else:
        say(f"All is well; {absent} optional parts are absent." if absent else "All is well.")


def _package(name: str, *, optional: bool) -> Check:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        if optional:
            extra, purpose = _OPTIONAL[name]
            return Check(name, "absent", f"optional, {purpose}: extra {extra}")
        return Check(name, "FAILED", f"not installed: pip install {name}", NowPlayingError.exit_code)


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", check())
    except ModuleNotFoundError as error:
        return Check(name, "FAILED", f"{error}; install nowplaying again", MissingExtraError.exit_code)
    except MissingExtraError as error:
        required = error.extra == "tflite-runtime"
        return Check(name, "FAILED" if required else "absent", str(error), error.exit_code if required else EXIT_FOUND)
    except NowPlayingError as error:
        return Check(name, "FAILED", str(error), error.exit_code)


def _runtime() -> str:
    from nowplaying_core.runtime import installed_runtimes

    found = installed_runtimes()
    if not found:
        extra, purpose = "tflite-runtime", "running the models (ai-edge-litert is not installed either)"
        raise MissingExtraError(extra, purpose)
    return f"{found[0]}" + (f" (also {', '.join(found[1:])})" if found[1:] else "")


def _ffmpeg() -> Check:
    path = shutil.which("ffmpeg")
    if path is None or shutil.which("ffprobe") is None:
        return Check("ffmpeg", "absent", "optional, reads M4A, WMA and video")
    return Check("ffmpeg", "ok", path)


def _microphones() -> str:
    from nowplaying_core.audio.microphone import microphone_names

    return "; ".join(microphone_names()) or "none found"


def _sound() -> "NDArray[np.float32]":
    import numpy as np

    time_s = np.arange(8 * 16_000) / 16_000
    chord = np.sin(2 * np.pi * np.outer([220.0, 277.2, 329.6, 440.0], time_s)).sum(axis=0)
    pulsing: NDArray[np.float32] = (0.1 * chord * (1 + np.sin(2 * np.pi * 2 * time_s))).astype(np.float32)
    return pulsing


def _detector() -> str:
    from detector.stream import StreamingDetector
    from nowplaying_core.errors import CorruptArtifactError

    decisions = StreamingDetector.from_model().process(_sound())
    if not decisions or not all(0 <= one.probability <= 1 for one in decisions):
        message = f"{SHIPPED_DETECTOR}: expected decisions on eight seconds of sound, found none; reinstall nowplaying"
        raise CorruptArtifactError(message)
    return f"hashes match, {len(decisions)} decisions on eight seconds of test sound"


def _fingerprinter() -> str:
    import numpy as np

    from fingerprinter.fingerprint import Fingerprinter
    from nowplaying_core.errors import CorruptArtifactError

    model = Fingerprinter.from_model()
    vectors = model.embed(_sound(), model.query_hop_s)
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-3):
        message = f"{SHIPPED_FINGERPRINTER}: expected unit vectors, found others; reinstall nowplaying"
        raise CorruptArtifactError(message)
    return f"hashes match, embedding space {model.embedding_space}, {len(vectors)} unit vectors of {model.dim} numbers"


def _annoy() -> str:
    import numpy as np
    from annoy import AnnoyIndex

    from nowplaying_core.errors import CorruptArtifactError

    index = AnnoyIndex(8, "angular")
    index.set_seed(1)
    for number, vector in enumerate(np.random.default_rng(1).standard_normal((100, 8))):
        index.add_item(number, vector)
    index.build(5, n_jobs=1)
    if any(index.get_nns_by_item(number, 1) != [number] for number in range(100)):
        message = "annoy: an index does not find its own items; build annoy again without -march=native"
        raise CorruptArtifactError(message)
    return "finds its own items"
