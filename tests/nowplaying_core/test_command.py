"""How commands run as python -m end."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from nowplaying_core.command import run_command
from nowplaying_core.errors import AudioFormatError, ConfigError

ROOT = Path(__file__).parents[2]


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(("result", "code"), [(None, 0), ({"rows": []}, 0), (0, 0), (3, 3), (True, 1)], ids=str)
def test_an_integer_is_the_exit_code_and_anything_else_is_a_result(result: object, code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: result)
    assert ended.value.code == code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("expected a folder"), 2, "error: expected a folder\n"),
        (AudioFormatError("no sound"), 3, "error: no sound\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
    ],
    ids=["usage", "input", "interrupted"],
)
def test_a_mistake_gives_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: _raise(error))
    assert ended.value.code == code
    assert capsys.readouterr().err == line


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


def test_every_command_of_evaluation_and_of_the_benchmarks_ends_so() -> None:
    without_mistakes = {"evaluation/export_figures.py", "evaluation/gather_debian_audio.py"}
    without_mistakes |= {"evaluation/retrieval/make_rooms_dev.py"}
    files = [path for folder in ("evaluation", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    commands = {path: text for path in files if '__name__ == "__main__"' in (text := path.read_text(encoding="utf-8"))}
    assert len(commands) > 40
    others = {
        str(path.relative_to(ROOT)) for path, text in commands.items() if not re.search(r"\n    run_command\(", text)
    }
    assert others == without_mistakes


def test_a_real_command_tells_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evaluation.experiments.learning_rates", "--only=cola", "--table"]
    command += [
        f"--corpus={tmp_path}",
        f"--cache-dir={tmp_path}",
        f"--out={tmp_path}",
        f"--budget={tmp_path / 'no.toml'}",
    ]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 3, ended.stderr
    assert "no.toml" in ended.stderr
    assert "Traceback" not in ended.stderr
