import json
import shutil

import numpy as np
import pytest

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter, embedding_space, window_starts
from fingerprinter.mel import log_mel_reference
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import ArtifactError, CorruptArtifactError


@pytest.fixture(scope="module")
def shipped():
    return Fingerprinter.from_model()


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(0, 1), (100, 1), (32_768, 1), (32_768 + 7_999, 1), (32_768 + 8_000, 2), (128_000, 12)]
)
def test_number_of_windows(n_samples, expected):
    starts = window_starts(n_samples, 32_768, 8_000)
    assert len(starts) == expected
    np.testing.assert_array_equal(np.diff(starts), 8_000)


def test_shipped_front_end_equals_the_reference(shipped, songs):
    config = FrontEndConfig(**shipped.folder.manifest["front_end"])
    for song in songs[:3]:
        window = song[: shipped.window_samples]
        np.testing.assert_allclose(
            shipped.front_end(window[None])[0, :, :, 0], log_mel_reference(window, config), atol=2e-3
        )


def test_eight_seconds_are_twelve_unit_vectors(shipped, songs):
    vectors = shipped.embed(songs[0][: 8 * 16_000], shipped.query_hop_s)
    assert vectors.shape == (12, 96)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)


def test_level_does_not_matter_and_songs_differ(shipped, songs):
    window = songs[0][: shipped.window_samples]
    first = shipped.embed(window, 1.0)[0]
    assert float(first @ shipped.embed(window * np.float32(0.05), 1.0)[0]) > 0.99
    others = [shipped.embed(song[: shipped.window_samples], 1.0)[0] for song in songs[1:]]
    assert max(float(first @ other) for other in others) < 0.9


def test_short_audio_is_one_padded_window(shipped, songs):
    short = songs[0][:8_000]
    padded = np.pad(short, (0, shipped.window_samples - len(short)))
    np.testing.assert_array_equal(shipped.embed(short, 0.5), shipped.embed(padded, 0.5))


def test_levels_are_dbfs(shipped):
    tone = np.full(shipped.window_samples, 0.1, np.float32)
    _, levels = shipped.embed_with_levels(np.concatenate([tone, np.zeros_like(tone)]), shipped.window_s)
    np.testing.assert_allclose(levels, [-20.0, -100.0], atol=0.01)


def test_a_window_does_not_depend_on_its_neighbours(shipped, songs):
    whole = shipped.embed(songs[1], 0.5)
    alone = shipped.embed(songs[1][5 * 8_000 : 5 * 8_000 + shipped.window_samples], 0.5)
    np.testing.assert_array_equal(whole[5], alone[0])


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), folder)
    return folder


@pytest.mark.parametrize("name", ["encoder.tflite", "frontend.tflite"])
def test_one_flipped_bit_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=name):
        Fingerprinter.from_model(copy)


def test_garbage_with_a_matching_hash_is_refused_by_the_runtime(copy):
    from nowplaying_core.artifacts import file_record

    (copy / "encoder.tflite").write_bytes(b"not a graph" * 50)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["encoder.tflite"] = file_record(copy / "encoder.tflite")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptArtifactError, match="refused this graph"):
        Fingerprinter.from_model(copy)


def test_a_detector_is_not_a_fingerprinter(copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["role"] = "detector"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CorruptArtifactError, match="expected a fingerprinter"):
        Fingerprinter.from_model(copy)


def test_an_unknown_name_is_named():
    with pytest.raises(ArtifactError, match="no-such-model"):
        Fingerprinter.from_model("no-such-model")


def test_embedding_space_depends_on_both_graphs():
    files = {"frontend.tflite": {"sha256": "a" * 64}, "encoder.tflite": {"sha256": "b" * 64}}
    swapped = {"frontend.tflite": {"sha256": "b" * 64}, "encoder.tflite": {"sha256": "a" * 64}}
    assert embedding_space(files) != embedding_space(swapped)
