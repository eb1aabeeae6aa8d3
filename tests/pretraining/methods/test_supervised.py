from pathlib import Path

import numpy as np
import pytest
import soundfile

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from pretraining.labelled import LabelledSampler
from pretraining.tasks.task import Example, Task
from tests.pretraining.material import small_config
from tests.pretraining.methods.learning import learned

pytestmark = pytest.mark.train
WINDOW = small_config("random").front_end.window_samples


@pytest.fixture
def sampler(tmp_path: Path) -> LabelledSampler:
    """Return two tasks: three loudnesses in one file each, and two words in one file."""
    tasks = []
    for number, level in enumerate((0.1, 0.2, 0.3)):
        soundfile.write(tmp_path / f"{number}.wav", np.full(WINDOW + 1000, level), 16_000)
    levels = [Example(path=tmp_path / f"{n}.wav", label=f"level{n}", unit=str(n)) for n in range(3)]
    half_s = WINDOW / 2 / 16_000
    words = [
        Example(path=tmp_path / "0.wav", label=w, unit=w, start_s=s, end_s=s + half_s)
        for w, s in (("a", 0), ("b", half_s))
    ]
    for name, examples in (("levels", levels), ("words", words)):
        tasks.append(Task(name, tuple(examples), (), "file"))
    return LabelledSampler(tasks, WINDOW, tmp_path / "cache")


def test_a_window_its_label_and_its_task_belong_together(sampler: LabelledSampler, rng: np.random.Generator) -> None:
    windows, wanted, allowed = sampler.draw(200, rng)
    assert windows.shape == (200, 1, WINDOW)
    assert wanted.shape == allowed.shape == (200, 5)
    assert np.all(wanted.sum(axis=1) == 1)
    assert np.all(wanted <= allowed)
    assert {tuple(row) for row in allowed} == {(1, 1, 1, 0, 0), (0, 0, 0, 1, 1)}
    loudness = windows[:, 0, WINDOW // 2]
    label = wanted.argmax(axis=1)
    np.testing.assert_allclose(loudness, np.array([0.1, 0.2, 0.3, 0.1, 0.1])[label], atol=1e-3)
    assert np.all(np.bincount(label) > 20), "every label is drawn"
    words = windows[label >= 3, 0]
    assert np.all(words[:, : WINDOW // 4 - 1] == 0), "a short sound lies in the middle of silence"
    assert np.all(words[:, -(WINDOW // 4 - 1) :] == 0)


def test_labels_of_other_tasks_do_not_count(sampler: LabelledSampler) -> None:
    pretext, losses = learned("supervised", sampler, n_steps=8)
    assert losses[-1] < losses[0]
    windows, wanted, allowed = pretext.draw(sampler, np.random.default_rng(3))
    scores = np.asarray(pretext.classifier(np.maximum(np.asarray(pretext.encoder(pretext.images(windows))), 0)))
    found = []
    for row in range(len(scores)):
        own = scores[row][allowed[row] > 0]
        found.append(np.log(np.exp(own).sum()) - scores[row][wanted[row] > 0][0])
    assert float(pretext.objective(windows, wanted, allowed)) == pytest.approx(np.mean(found), rel=1e-3)
