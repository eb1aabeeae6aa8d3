import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from nowplaying.cli.logs import set_verbosity


def test_a_record_with_an_error_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("other.library")
    for verbose, has_trace in ((0, False), (2, True)):
        set_verbosity(verbose=verbose, quiet=False)
        try:
            json.loads("{")
        except ValueError:
            log.warning("reading failed", exc_info=True)
        error = capsys.readouterr().err
        assert error.startswith("warning: other.library: reading failed (JSONDecodeError: Expecting property name")
        assert ("Traceback" in error) == has_trace


def test_a_record_that_does_not_fit_its_text_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    set_verbosity(verbose=0, quiet=False)
    logging.getLogger("other.library").warning("%d files", "many")
    assert "%d files (TypeError" in capsys.readouterr().err


def test_libraries_do_not_write_to_the_error_stream(tmp_path: Path) -> None:
    script = tmp_path / "chatter.py"
    script.write_text(
        "import os, sys\n"
        "from nowplaying.cli.logs import libraries_silenced\n"
        "with libraries_silenced():\n"
        "    os.write(2, b'chatter of a C library')\n"
        "    print('ours', file=sys.stderr)\n"
        "os.write(2, b'after')\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\nafter"
