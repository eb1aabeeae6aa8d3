from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying.cli.main import app
from nowplaying_core.errors import AudioFormatError
from pretraining.generation.code_run import CodeRun
from pretraining.generation.continuation import continued
from pretraining.generation.generate import generate
from tests.synthesis import song

pytestmark = pytest.mark.train


def test_a_sound_goes_on_at_its_level_and_the_same_for_the_same_seed(code_run: Path) -> None:
    prompt = 0.2 * song(5, 1.0)  # far enough from the largest sample that a file holds
    sound = generate(code_run, prompt, duration_s=0.9, seed=3)
    n_prompt = round(0.64 * 16_000)
    assert len(sound) == n_prompt + 23 * 640, "the last clip of the prompt and whole slices of 40 ms"
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(prompt[-n_prompt:] ** 2)), rel=0.05)
    np.testing.assert_array_equal(sound, generate(code_run, prompt, duration_s=0.9, seed=3))
    assert not np.array_equal(sound, generate(code_run, prompt, duration_s=0.9, seed=4))


def test_without_chance_the_likeliest_follows(code_run: Path, rng: np.random.Generator) -> None:
    run = CodeRun.open(code_run)
    prompt = run.listen(song(5, 0.2))
    assert prompt.shape == (5,)
    codes = continued(run, prompt, 14, rng=rng, temperature=0)
    np.testing.assert_array_equal(codes[:5], prompt)
    for place in range(5, 19):
        seen = codes[max(0, place - 16) : place][None]
        assert codes[place] == np.asarray(run.transformer.logits(run.transformer(seen)))[0, -1].argmax()


@pytest.mark.parametrize(("n", "level"), [(639, 0.1), (16_000, 0.0)])
def test_too_little_to_go_on_from(code_run: Path, n: int, level: float) -> None:
    with pytest.raises(AudioFormatError, match=r"prompt: expected a sound of 0\.04 s or more"):
        generate(code_run, np.full(n, level, np.float32), duration_s=1.0, seed=1)


def test_the_command_writes_a_file(code_run: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", song(5, 2.0), 16_000)
    arguments = ["generate", str(code_run), str(tmp_path / "song.wav"), "--out", str(tmp_path / "on.wav")]
    done = CliRunner().invoke(app, [*arguments, "--at", "1", "--prompt", "0.4", "--duration", "0.4"])
    assert done.exit_code == 0, done.output
    samples, rate_hz = soundfile.read(tmp_path / "on.wav")
    assert (len(samples), rate_hz) == (12_800, 16_000)
    nowhere = CliRunner().invoke(app, [*arguments[:3], "--out", str(tmp_path / "none" / "on.wav")])
    assert nowhere.exit_code != 0
    past = CliRunner().invoke(app, [*arguments, "--at", "5"])
    assert isinstance(past.exception, AudioFormatError)
