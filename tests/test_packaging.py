"""What is in the wheel, and whether a stranger can use it."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "detector",
    "evaluation",
    "export",
    "fingerprinter",
    "nowplaying",
    "nowplaying_core",
    "ondevice_db",
    "pretraining",
    "simulator",
}
CHECKOUT_ONLY = {"evaluation.endurance", "evaluation.experiments"}
RUNTIME_SUFFIXES = {".json", ".md", ".npy", ".tflite"}
COMPILER_ARGS = "-O3,-ffast-math,-fno-associative-math,-DANNOYLIB_MULTITHREADED_BUILD,-std=c++14"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # From a copy, because setuptools leaves a build folder beside the sources and would reuse what lies in it.
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout, so what belongs to the sources is not known")
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


def test_wheel_installs_just_the_rooms(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS


def test_firmware_sources_travel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("export/templates/")}
    templates = ROOT / "export" / "templates"
    assert names == {path.relative_to(ROOT).as_posix() for path in templates.rglob("*") if path.is_file()}
    assert len(names) == 29


def test_a_bundles_pages_travel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        pages = {name: archive.read(name) for name in archive.namelist() if name.startswith("export/pages/")}
    assert set(pages) == {"export/pages/README.md", "export/pages/pack-format.md"}
    assert pages["export/pages/pack-format.md"] == (ROOT / "docs" / "pack-format.md").read_bytes()


def test_wheel_has_the_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name for name in archive.namelist() if ".dist-info/licenses/" in name}
    assert names == {"LICENSE", "NOTICE"}


def test_models_travel_without_float_weights(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("nowplaying/models/")}
    tracked = {
        f"nowplaying/models/{path.relative_to(ROOT / 'models')}"
        for path in (ROOT / "models").glob("*/*")
        if path.suffix in RUNTIME_SUFFIXES
    }
    assert shipped == tracked
    assert {Path(name).suffix for name in shipped} <= RUNTIME_SUFFIXES


def test_every_package_of_the_tree_is_listed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for room in ROOMS for path in (ROOT / room).rglob("__init__.py")
    } - CHECKOUT_ONLY
    assert set(settings["tool"]["setuptools"]["packages"]) == found | {"nowplaying.models"}


def test_every_data_file_of_a_room_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    listed = subprocess.run(["git", "ls-files", *sorted(ROOMS)], cwd=ROOT, capture_output=True, text=True, check=True)
    left_out = tuple(f"{name.replace('.', '/')}/" for name in CHECKOUT_ONLY)
    wanted = [name for name in listed.stdout.split() if not name.startswith(left_out)]
    assert [name for name in wanted if name not in shipped] == []


def test_the_versions_are_those_that_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {text.rpartition(" ")[2] for text in project["classifiers"] if "Python :: 3." in text}
    assert named == {"3.11", "3.12", "3.13"}
    assert project["requires-python"] == ">=3.11"
    script = (ROOT / ".ci" / "check_wheel").read_text()
    assert all(f"python{version}" in script for version in named)


def test_every_requirement_is_locked() -> None:
    """What `make lock` wrote fits pyproject.toml; `.ci/run` checks that it would write the same again."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (line.partition(";")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    locked = {canonicalize_name(name): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [project["optional-dependencies"][name] for name in ("train", "micro", "report", "cluster", "docs", "dev")]
    wanted = project["dependencies"] + [one for extra in extras for one in extra]
    requirements = [Requirement(one) for one in wanted]
    assert len(requirements) > 25
    for one in requirements:
        assert one.specifier.contains(locked[canonicalize_name(one.name)], prereleases=True), one


@pytest.mark.slow
@pytest.mark.network
def test_wheel_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python, environment = tmp_path / "venv/bin/python", {**os.environ, "ANNOY_COMPILER_ARGS": COMPILER_ARGS}
    environment.pop("PYTHONPATH", None)
    options = ["--disable-pip-version-check", "--quiet", "-c", ROOT / "constraints.txt"]
    command = [python, "-m", "pip", "install", *options, "--no-binary", "annoy", "--no-cache-dir", wheel]
    installed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if installed.returncode != 0 and re.search(
        "connection|resolve|No matching distribution|network", installed.stderr, re.I
    ):
        pytest.skip(f"pip reaches no package index here: {installed.stderr.strip().splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    nowplaying = tmp_path / "venv/bin/nowplaying"
    done = subprocess.run(
        [nowplaying, "doctor"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    where = [
        python,
        "-c",
        "import nowplaying, importlib.util as u; print(nowplaying.__file__, u.find_spec('tensorflow'))",
    ]
    found = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(str(tmp_path))
    assert found.stdout.split()[1] == "None"
