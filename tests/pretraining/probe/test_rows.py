"""A row holds an encoder's answers, and gives them back."""

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError
from pretraining.codes.encoder import build_code_encoder
from pretraining.config.codes import CodeConfig
from pretraining.config.run import MethodConfig
from pretraining.probe.answers import ProbeSettings, TaskWindows
from pretraining.probe.rows import BagOfCodes, BandStatistics, describe_tasks, measure_row, read_rows, row_answers
from pretraining.probe.windows import Images
from pretraining.tasks.task import Example, Task
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


@pytest.fixture
def sounds(rng: np.random.Generator) -> TaskWindows:
    """Return two labels whose images differ in twenty bands."""
    parts = [
        [Example(path=Path(f"{part}{k}"), label="ab"[k % 2], unit=f"{part}{k}") for k in range(24)] for part in "xy"
    ]
    task = Task.of("bands", *parts, parted_by="file")
    labels = np.arange(24) % 2
    images = []
    for _ in parts:
        image = rng.standard_normal((24, 32, 32, 1)).astype(np.float32)
        image[labels == 1, :20] += 4.0
        images.append(Images(image, np.arange(24)))
    return TaskWindows(task, *images, labels, labels)


def test_a_row_keeps_each_answer_and_what_it_cost(sounds: TaskWindows, tmp_path: Path) -> None:
    settings = ProbeSettings(label_shares=(0.5, 1.0), n_seeds=2)
    row = measure_row("bands", small_config("random"), BandStatistics(), [sounds], settings)
    (tmp_path / "bands-1").mkdir()
    write_json(tmp_path / "bands-1" / "row.json", row)
    tasks = describe_tasks([sounds.task], tmp_path / "tasks.json")
    (read,) = read_rows(tmp_path, tasks)
    assert row_answers(read, "bands", 0.5).shape == (2, 24)
    assert row_answers(read, "bands", 1.0).mean() == 1.0
    assert read["probe_cpu_s"] >= 0
    assert (read["method"], read["seed"], read["n_steps"]) == ("bands", 1, 0)


def test_the_tasks_of_a_folder_do_not_change(sounds: TaskWindows, tmp_path: Path) -> None:
    describe_tasks([sounds.task], tmp_path / "tasks.json")
    fewer = Task.of("bands", sounds.task.train[2:], sounds.task.test, parted_by="file")
    with pytest.raises(ConfigError, match="choose another folder"):
        describe_tasks([fewer], tmp_path / "tasks.json")


def test_a_bag_has_the_share_of_each_code(rng: np.random.Generator) -> None:
    codes = CodeConfig(n_codes=6, n_fitted=6, dim=16, n_layers=1, n_heads=2)
    encoder = build_code_encoder(small_config("kmeans_codes", codes=codes, objective=MethodConfig(clip_s=0.64)))
    encoder.get_layer("codes").slices.assign(rng.normal(size=(6, 128)))
    images = rng.normal(size=(3, 32, 32, 1)).astype(np.float32)
    named = np.asarray(encoder.get_layer("codes")(images))
    wanted = [[np.mean(row == code) for code in range(6)] for row in named]
    assert len(np.unique(named)) > 3
    np.testing.assert_allclose(BagOfCodes(encoder).predict_on_batch(images), wanted)
