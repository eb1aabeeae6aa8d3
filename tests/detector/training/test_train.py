import csv
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from detector.training import train
from detector.training.config import DetectorConfig, SceneConfig, TrainingConfig
from detector.training.pools import SoundPools
from detector.training.train import train_detector
from detector.training.weights import load_weights
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder
from tests.detector.training.fake_teacher import ToneTeacher

pytestmark = pytest.mark.train


def config(**changes: float) -> DetectorConfig:
    training = TrainingConfig(
        n_scenes=6,
        n_check_scenes=3,
        batch_segments=4,
        n_decisions=2,
        warmup_steps=1,
        extreme_share=0.1,
        mine_every=2,
        **{"mined_share": 0.5, "steps": 4, "quantized_steps": 2, "log_every": 2, **changes},
    )
    return DetectorConfig(scenes=SceneConfig(duration_s=12.0, music_share=0.5), training=training)


class InterruptedRunError(Exception):
    pass


class Interrupt(logging.Handler):
    """Ends a run at its second step."""

    def emit(self, record: logging.LogRecord) -> None:
        if "float step 2:" in record.getMessage():
            raise InterruptedRunError


def test_training_resumes_to_the_same_weights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=6.0)
    sources = TrainingSources(corpus=corpus, cache_dir=tmp_path / "pcm")
    shared = {"sources": sources, "features_dir": tmp_path / "features", "n_threads": 1}
    whole = train_detector(config(), tmp_path / "whole", **shared)

    interrupt, log = Interrupt(), logging.getLogger("detector.training.fitting")
    log.addHandler(interrupt)
    caplog.set_level(logging.INFO, logger=log.name)
    with pytest.raises(InterruptedRunError):
        train_detector(config(), tmp_path / "parts", **shared)
    log.removeHandler(interrupt)
    midi = {**shared, "sources": replace(sources, rendered_midi=corpus / "music")}
    with pytest.raises(ConfigError, match=r"was given rendered MIDI: 0, not 4"):
        train_detector(config(), tmp_path / "parts", **midi)
    parts = train_detector(config(), tmp_path / "parts", **shared)
    one, two = load_weights(whole.weights_path).arrays(), load_weights(parts.weights_path).arrays()
    assert all(np.allclose(one[name], two[name], rtol=1e-3, atol=1e-4) for name in one)
    with (tmp_path / "parts" / "log.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert (tmp_path / "parts" / "mined-2.npz").is_file()
    assert [(row["stage"], row["step"]) for row in rows] == [("float", "2"), ("float", "4"), ("int8", "2")]
    assert 0 <= whole.quantized_area <= 1
    with pytest.raises(ConfigError, match="another run folder"):
        train_detector(config(steps=5), tmp_path / "whole", **shared)


def test_a_teacher_changes_what_is_learned_and_belongs_to_the_run(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=6.0), cache_dir=tmp_path / "pcm")

    def trained(name: str, **options: object) -> dict[str, np.ndarray]:
        settings = config(masked_share=0.5, mined_share=0.0, doubted_above=0.5)
        report = train_detector(settings, tmp_path / name, sources=sources, n_threads=1, **options)  # type: ignore[arg-type]
        assert 0 <= report.quantized_area <= 1
        return load_weights(report.weights_path).arrays()

    taught, plain = trained("taught", teacher=ToneTeacher()), trained("plain")
    assert any(not np.allclose(taught[name], plain[name], rtol=1e-3, atol=1e-4) for name in taught)
    with pytest.raises(ConfigError, match="was given"):
        trained("taught")
    with pytest.raises(ConfigError, match="was given"):
        trained("taught", teacher=ToneTeacher(name="another"))


def test_scenes_are_composed_without_what_is_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=1.0), cache_dir=tmp_path / "pcm")
    composed: dict[Path, set[str]] = {}

    def build(pools: list[SoundPools], *_: object, folder: Path, **__: object) -> Path:
        composed[folder] = {file.title for group in ("music", "noise", "speech") for file in getattr(pools[0], group)}
        return folder

    monkeypatch.setattr(train, "build_features", build)
    settings = {
        None: config().training,
        **{fold: config(held_out_fold=fold, held_out_of=2).training for fold in (0, 1)},
    }
    whole, first, second = (
        train.scene_features(SceneConfig(), one, sources, tmp_path / "features") for one in settings.values()
    )
    # Features of different recordings are kept apart; those of dev are the same.
    assert len({whole[0], first[0], second[0]}) == 3
    assert whole[1] == first[1] == second[1]
    assert composed[first[0]] | composed[second[0]] == composed[whole[0]]
    assert not composed[first[0]] & composed[second[0]]
