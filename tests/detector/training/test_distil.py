"""A detector's convolutions learn an encoder's embeddings before they learn to detect music."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from detector.training.config import DetectorConfig, SceneConfig, TrainingConfig
from detector.training.distil import embeddings_of_scenes, pretrain
from detector.training.feature_set import build_features
from detector.training.model import build_training_model
from detector.training.pools import SoundPools
from detector.training.scenes import compose_scene
from detector.training.train import train_detector
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from tests.detector.sounds import corpus_folder

pytestmark = pytest.mark.train
N_SCENES = 6
CONFIG = DetectorConfig(
    scenes=SceneConfig(duration_s=12.0, music_share=0.5),
    training=TrainingConfig(
        n_scenes=N_SCENES,
        n_check_scenes=3,
        batch_segments=4,
        n_decisions=2,
        warmup_steps=1,
        steps=2,
        quantized_steps=1,
        log_every=2,
    ),
)


class LevelEncoder:
    """Embeds a second as the loudness of its low and high parts, which the features hold as well."""

    window_samples = 15_360
    embedding_space = "levels"

    def embed(self, windows: np.ndarray) -> np.ndarray:
        power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
        return np.stack([np.log(power[:, low : low + 2000].mean(axis=1) + 1e-6) for low in (100, 3000)], axis=1)


class LongEncoder(LevelEncoder):
    window_samples = 100_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_folder(tmp_path_factory.mktemp("distil") / "corpus", seconds=6.0)


@pytest.fixture(scope="module")
def pools(corpus: Path) -> list[SoundPools]:
    return [SoundPools.from_sources(TrainingSources(corpus=corpus, cache_dir=corpus / "pcm"), "train")]


def test_an_embedding_is_the_mean_over_the_encoders_windows(pools: list[SoundPools], tmp_path: Path) -> None:
    embeddings = embeddings_of_scenes(LevelEncoder(), pools, CONFIG, n_scenes=2, folder=tmp_path)
    samples = compose_scene(pools[0], CONFIG.scenes, np.random.default_rng([CONFIG.training.seed, 1])).samples
    # The third window lies between frames 128 and 574; six encoder windows that begin 64 frames apart are inside.
    starts = [(128 + 64 * number) * 160 for number in range(6)]
    assert starts[-1] + 15_360 <= 574 * 160 < starts[-1] + 64 * 160 + 15_360
    expected = LevelEncoder().embed(np.stack([samples[start : start + 15_360] for start in starts])).mean(axis=0)
    np.testing.assert_allclose(embeddings[1, 2], expected, rtol=1e-4)
    cached = embeddings_of_scenes(LevelEncoder(), [], CONFIG, n_scenes=2, folder=tmp_path)
    assert np.array_equal(embeddings, cached)
    longer = replace(CONFIG, network=replace(CONFIG.network, n_frames=510))
    others = embeddings_of_scenes(LevelEncoder(), pools, longer, n_scenes=2, folder=tmp_path)
    assert others.shape[1] == embeddings.shape[1] - 1
    with pytest.raises(ConfigError, match="windows of at most"):
        embeddings_of_scenes(LongEncoder(), pools, CONFIG, n_scenes=2, folder=tmp_path / "long")


def test_the_convolutions_learn_the_embeddings_and_the_head_stays(pools: list[SoundPools], tmp_path: Path) -> None:
    features = build_features(
        pools, CONFIG.scenes, n_scenes=N_SCENES, seed=CONFIG.training.seed, folder=tmp_path / "features"
    )
    embeddings = embeddings_of_scenes(LevelEncoder(), pools, CONFIG, n_scenes=N_SCENES, folder=tmp_path / "features")
    keras.utils.set_random_seed(1)
    model = build_training_model(CONFIG.network)
    head = [layer.get_weights()[0].copy() for layer in (model.get_layer("hidden"), model.get_layer("logit"))]
    first = pretrain(embeddings, model, features, CONFIG, 2)
    explained = pretrain(embeddings, model, features, CONFIG, 120)
    assert explained > max(0.5, first + 0.2)
    after = [layer.get_weights()[0] for layer in (model.get_layer("hidden"), model.get_layer("logit"))]
    assert all(np.array_equal(one, two) for one, two in zip(head, after, strict=True))


def test_a_run_records_how_it_was_initialized(corpus: Path, tmp_path: Path) -> None:
    shared = {
        "sources": TrainingSources(corpus=corpus, cache_dir=corpus / "pcm"),
        "features_dir": tmp_path / "features",
        "n_threads": 1,
    }
    report = train_detector(CONFIG, tmp_path / "run", **shared, encoder=LevelEncoder(), distilled_steps=3)
    assert report.weights_path.is_file()
    assert (tmp_path / "features" / "features-train" / "encoder-levels-6-446-64.npy").is_file()
    with pytest.raises(ConfigError, match="was given"):
        train_detector(CONFIG, tmp_path / "run", **shared)
