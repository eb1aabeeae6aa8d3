"""The picture of codes: a song, its codes, and what is drawn after half of them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("matplotlib", reason="needs the report extra")

from evaluation.experiments.code_pictures import draw, excerpts
from nowplaying_core.errors import ConfigError
from tests.pretraining.generation.conftest import code_run, sources  # noqa: F401
from tests.synthesis import song

pytestmark = pytest.mark.train


def test_the_prompts_codes_are_in_both_pictures_and_drawn_ones_after_them(code_run: Path, tmp_path: Path) -> None:  # noqa: F811
    soundfile.write(tmp_path / "song.wav", 0.5 * song(3, 2.0), 16_000)
    config, images, at_s = excerpts(code_run, tmp_path / "song.wav", 0.5)
    of_song, of_codes, drawn = images.values()
    assert of_song.shape == of_codes.shape == drawn.shape == (config.n_mels, 64)
    n_known = round(at_s * 16_000 / config.hop_samples)
    assert n_known == 32
    np.testing.assert_array_equal(of_codes[:, :n_known], drawn[:, :n_known])
    draw(images, config, tmp_path / "codes.png", at_s=at_s)
    assert (tmp_path / "codes.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="expected sound from second 2 on, found its end"):
        excerpts(code_run, tmp_path / "song.wav", 2.0)
