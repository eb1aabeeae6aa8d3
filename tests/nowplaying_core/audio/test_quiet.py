import os

import pytest

from nowplaying_core.audio.quiet import QuietStderr


def test_what_is_written_within_a_block_does_not_appear(capfd: pytest.CaptureFixture[str]) -> None:
    quiet = QuietStderr()
    with quiet.block():
        os.write(2, b"resync")
    os.write(2, b"own words")
    quiet.close()
    assert capfd.readouterr().err == "own words"


def test_a_decoder_that_is_freed_after_its_file_is_no_error() -> None:
    quiet = QuietStderr()
    quiet.close()
    with quiet.block():
        pass
    quiet.close()
