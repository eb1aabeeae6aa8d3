from pathlib import Path

import pytest

from nowplaying_core.audio.sources import TrainingSources
from pretraining.config.codes import CodeConfig
from pretraining.config.run import MethodConfig
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    root = tmp_path_factory.mktemp("codes")
    return TrainingSources(corpus=corpus_folder(root / "corpus", seconds=4.0), cache_dir=root / "cache")


@pytest.fixture(scope="session")
def code_run(sources: TrainingSources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a short run over a codebook of 16 slices of 40 ms and clips of 0.64 s."""
    from pretraining.train import pretrain

    run = tmp_path_factory.mktemp("run")
    codes = CodeConfig(n_codes=16, n_fitted=64, dim=16, n_layers=1, n_heads=2)
    options = {"n_steps": 40, "checkpoint_every": 20, "learning_rate": 1e-2, "codes": codes}
    config = small_config(
        "kmeans_codes", objective=MethodConfig(clip_s=0.64), music_share=1.0, speech_share=0.0, **options
    )
    pretrain(config, sources, run)
    return run
