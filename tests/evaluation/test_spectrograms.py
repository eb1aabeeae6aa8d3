"""The spectrograms are of the recordings that their titles name, from the second that they begin at."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("matplotlib", reason="needs the report extra")

from evaluation.spectrograms import AUDIO, SPECTROGRAMS, draw_spectrograms, read_panel
from fingerprinter.config import FrontEndConfig
from pretraining.audit.examples import _START_S, _WINDOWS
from simulator.scenes.recordings import demo_recordings

pytestmark = pytest.mark.train


def test_panels_are_of_recordings_that_are_there() -> None:
    names = [panel[1] for _, columns in SPECTROGRAMS.values() for column in columns for panel in column]
    assert all((AUDIO / name).is_file() if name.endswith(".ogg") else name in demo_recordings() for name in names)


def test_what_is_rebuilt_lies_at_the_time_of_its_original() -> None:
    config = FrontEndConfig()
    duration_s, columns = SPECTROGRAMS["decodings"]
    assert duration_s == _WINDOWS * config.window_s
    for (_, name, start_s), *_ in columns:
        assert start_s == _START_S
        rebuilt = read_panel(("", f"{name}-log-mel.ogg", 0.0), duration_s, config)
        there, later = (read_panel(("", name, second), duration_s, config) for second in (start_s, start_s + 1.0))
        at_its_time, shifted = (np.corrcoef(rebuilt.ravel(), image.ravel())[0, 1] for image in (there, later))
        assert at_its_time > 0.9 > shifted


def test_the_same_recordings_give_the_same_picture(tmp_path: Path) -> None:
    for number in range(2):
        draw_spectrograms("continuation", tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
