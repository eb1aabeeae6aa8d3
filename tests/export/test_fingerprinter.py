import dataclasses
import hashlib

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from export.fingerprinter import export_fingerprinter, front_end_model, load_encoder
from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.fingerprint import Fingerprinter
from fingerprinter.mel import log_mel_reference
from fingerprinter.overhang import QueryOverhang
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.errors import ConfigError

pytestmark = pytest.mark.train
CONFIG = TrainingConfig(encoder=EncoderConfig(channels=(8, 8, 16, 16, 16), dim=8, branch_units=4))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    keras.utils.set_random_seed(7)
    path = tmp_path_factory.mktemp("run") / "encoder.weights.h5"
    build_encoder(CONFIG.encoder, CONFIG.front_end).save_weights(path)
    return path


@pytest.fixture(scope="module")
def images(songs):
    window = CONFIG.front_end.window_samples
    return np.stack([log_mel_reference(song[:window], CONFIG.front_end)[:, :, None] for song in songs])


def export(weights, images, folder, precision, config=CONFIG):
    return export_fingerprinter(
        config, weights, images, folder, name="test", version="0.0.1", training={}, precision=precision
    )


def test_float_graphs_equal_keras(weights, images, songs, tmp_path):
    runtime = Fingerprinter.from_model(export(weights, images, tmp_path / "float", "float32"))
    encoder = load_encoder(CONFIG, weights)
    front_end = front_end_model(CONFIG.front_end)
    for song, image in zip(songs, images, strict=True):
        window = song[None, : CONFIG.front_end.window_samples]
        np.testing.assert_allclose(runtime.front_end(window)[0], image, atol=2e-3)
        np.testing.assert_allclose(runtime.front_end(window), np.asarray(front_end(window)), atol=2e-4)
        np.testing.assert_allclose(runtime.encode(image[None]), np.asarray(encoder(image[None])), atol=1e-4)


def test_int8_stays_near_float_and_repeats_its_bytes(weights, images, tmp_path):
    folders = [export(weights, images, tmp_path / name, "int8") for name in ("first", "again")]
    digests = {hashlib.sha256((folder / "encoder.tflite").read_bytes()).hexdigest() for folder in folders}
    assert len(digests) == 1
    runtime = Fingerprinter.from_model(folders[0])
    encoder = load_encoder(CONFIG, weights)
    cosines = [float((runtime.encode(image[None]) * np.asarray(encoder(image[None]))).sum()) for image in images]
    # An untrained network spreads its inputs little; the trained one is held to more in test_shipped.py.
    assert min(cosines) > 0.95


def test_manifest_states_what_the_graphs_are(weights, images, tmp_path):
    runtime = Fingerprinter.from_model(export(weights, images, tmp_path / "model", "int8"))
    manifest = runtime.folder.manifest
    tensors = manifest["tensors"]["encoder.tflite"]
    assert tensors["input"]["dtype"] == "int8"
    assert tensors["output"] == {"shape": [1, 8], "dtype": "float32", "scale": 0.0, "zero_point": 0}
    assert manifest["embedding_space"] == runtime.embedding_space
    assert manifest["front_end"] == FrontEndConfig().to_dict()
    assert "query_overhang_s" not in manifest


def test_windows_beyond_a_query_are_stated_where_the_config_has_them(weights, images, tmp_path):
    config = dataclasses.replace(CONFIG, query_overhang_s=0.3, query_overhang_below_s=3.0)
    runtime = Fingerprinter.from_model(export(weights, images, tmp_path / "model", "int8", config))
    assert runtime.overhang == QueryOverhang(query_overhang_s=0.3, query_overhang_below_s=3.0)
    with pytest.raises(ConfigError, match="query_overhang_s"):
        dataclasses.replace(CONFIG, query_overhang_s=1.03)
