"""Every notebook and script of examples/ runs on the demo's recordings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

import nowplaying
from nowplaying_core.audio import SAMPLE_RATE_HZ

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
pytestmark = pytest.mark.slow
NOTEBOOKS = {
    "is_there_music": ("librosa", "matplotlib"),
    "name_a_song": ("matplotlib",),
    "train_a_tiny_fingerprinter": ("tensorflow", "pyroomacoustics", "matplotlib"),
    "what_does_a_day_cost": ("matplotlib",),
}
SCRIPTS = {"recognize_from_phone_bundle", "watch_a_folder"}
# Runs the cells in one namespace, as Jupyter does, and shows what the last expression of each gives.
RUN_CELLS = """
import ast, json, sys
namespace = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, sys.argv[1], "exec"), namespace)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), sys.argv[1], "eval"), namespace)
        for name in ("_repr_html_", "_repr_png_"):
            shown = getattr(value, name, lambda: None)()
            if shown is not None:
                print(name, len(shown))
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "STEPS": "4", "PAIRS": "4", "TF_CPP_MIN_LOG_LEVEL": "3"}


def test_every_example_is_run_here_and_listed() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(NOTEBOOKS)
    assert {path.stem for path in EXAMPLES.glob("*.py")} == SCRIPTS
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in page for path in EXAMPLES.iterdir() if path.suffix in {".ipynb", ".py"})


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_are_stripped(name: str) -> None:
    notebook = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(cells) >= 4
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    for needed in NOTEBOOKS[name]:
        pytest.importorskip(needed, reason="needs the train and report extras")
    command = [sys.executable, "-c", RUN_CELLS, EXAMPLES / f"{name}.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "_repr_png_" in done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with music.npdb of four songs, and incoming/ with a part of one and a file that is no sound."""
    folder = tmp_path_factory.mktemp("scripts")
    recordings = nowplaying.demo_recordings()
    names = ("marhaba", "fur-elise", "city-chill", "low-fi")
    nowplaying.index([recordings[name].path for name in names], folder / "music.npdb", jobs=1)
    (folder / "incoming").mkdir()
    song = nowplaying.load_audio(recordings["marhaba"].path)
    soundfile.write(folder / "incoming" / "query.wav", song[9 * SAMPLE_RATE_HZ :], SAMPLE_RATE_HZ, "PCM_16")
    (folder / "incoming" / "words.txt").write_text("no sound " * 100)
    return folder


def run(folder: Path, script: str, *arguments: str, **options: str) -> str:
    command = [sys.executable, str(EXAMPLES / f"{script}.py"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**environment(), **options}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_folder_is_watched(folder: Path) -> None:
    out = run(folder, "watch_a_folder", "music.npdb", "incoming", "songs.csv", "--once")
    assert "query.wav: Marhaba - Ian Alex Mac at 0:0" in out
    assert "words.txt" in out
    (line,) = (folder / "songs.csv").read_text(encoding="utf-8").splitlines()
    assert line.startswith("query.wav,Marhaba,Ian Alex Mac,")


def test_the_bundle_alone_names_the_song(folder: Path) -> None:
    script = "from nowplaying.cli.main import main; main()"
    subprocess.run(
        [sys.executable, "-c", script, "export", "--out", folder / "bundle", "--db", folder / "music.npdb"],
        env=environment(),
        check=True,
        capture_output=True,
    )
    # Not on the path: the project itself.
    out = run(folder, "recognize_from_phone_bundle", "bundle/phone", "incoming/query.wav", PYTHONPATH="")
    assert out.startswith("Marhaba - Ian Alex Mac at 9.0 s")


def test_the_bundle_example_imports_nothing_of_the_project() -> None:
    text = (EXAMPLES / "recognize_from_phone_bundle.py").read_text(encoding="utf-8")
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported == {"json", "sqlite3", "sys", "wave", "pathlib", "numpy", "ai_edge_litert"}
