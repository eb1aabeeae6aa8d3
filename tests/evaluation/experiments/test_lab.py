import argparse
import os
from pathlib import Path

import pytest

from evaluation.experiments.lab import add_task_options, chosen_tasks, in_own_processes
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.errors import ConfigError
from pretraining.tasks.midi import is_test_score


def test_each_run_has_a_process_of_its_own_and_the_order_stays() -> None:
    assert in_own_processes(abs, [(-3,), (-1,), (2,)], jobs=2) == [3, 1, 2]
    own = in_own_processes(os.getpid, [(), (), ()])
    assert len({os.getpid(), *own}) == 4


def test_tasks_do_not_test_with_scores_that_are_learned(tmp_path: Path) -> None:
    name = next(f"{number}.mid" for number in range(20) if is_test_score(Path(f"{number}.mid")))
    for path in (tmp_path / "scores" / name, tmp_path / "rendered" / f"scores-{Path(name).stem}.wav"):
        path.parent.mkdir()
        path.touch()
    parser = argparse.ArgumentParser()
    add_task_options(parser)
    places = ["--corpus", str(tmp_path), "--cache-dir", str(tmp_path), "--midi", str(tmp_path / "scores")]
    options = parser.parse_args([*places, "--soundfont", "font.sf2"])
    with pytest.raises(ConfigError, match="found 1 of 1 recordings"):
        chosen_tasks(options, read_corpus(tmp_path / "rendered", "music"))
