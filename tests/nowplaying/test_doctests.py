"""The examples of the public API run, on the demo's recordings."""

import doctest
import importlib
import re
import shutil
from pathlib import Path

import pytest
import soundfile

import nowplaying
from nowplaying_core.audio import SAMPLE_RATE_HZ
from simulator.scenes.recordings import demo_recordings

MODULES = (
    "nowplaying",
    "nowplaying.api.detect",
    "nowplaying.api.energy",
    "nowplaying.api.index",
    "nowplaying.api.phone",
    "nowplaying.api.recognize",
    "nowplaying_core.audio.stream",
    "nowplaying_core.text",
    "evaluation.goals",
    "detector.segments",
    "detector.stream",
    "fingerprinter.fingerprint",
    "ondevice_db.ingest.report",
    "ondevice_db.answer",
    "ondevice_db.recognizer",
    "ondevice_db.store.store",
    "simulator.result",
    "simulator.scenes.recordings",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with music/ (three songs), their database music.npdb, and query.wav: a song from second 5."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "music").mkdir()
    for name in ("cabin-fever", "fur-elise", "party-sector"):
        shutil.copy(demo_recordings()[name].path, folder / "music")
    song = nowplaying.load_audio(folder / "music" / "cabin-fever.opus")
    soundfile.write(folder / "query.wav", song[5 * SAMPLE_RATE_HZ : 25 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    nowplaying.index(folder / "music", folder / "music.npdb", jobs=1)
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


def test_everything_of_the_api_but_its_errors_has_an_example() -> None:
    finder = doctest.DocTestFinder()
    names = [name for name in nowplaying.__all__ if not name.endswith("Error") and name != "__version__"]
    assert len(names) >= 19
    for name in names:
        assert any(found.examples for found in finder.find(getattr(nowplaying, name))), name


def test_every_module_with_examples_is_run() -> None:
    root, example = Path(nowplaying.__file__).parents[1], re.compile(r"^ *>>> ", re.MULTILINE)
    packages = [path.parent for path in root.glob("*/__init__.py") if path.parent.name != "tests"]
    found = [path for package in packages for path in package.rglob("*.py") if example.search(path.read_text("utf-8"))]
    names = [".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in found]
    assert sorted(names) == sorted(MODULES)
