"""Songs in the order of their fingerprints, with the melodies that they were computed from."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("keras", reason="needs the train extra")

from fingerprinter.config import FrontEndConfig
from fingerprinter.fingerprint import Fingerprinter
from pretraining.audit.chroma import chroma
from pretraining.audit.passages import beside, neighbours, read_passages
from tests.synthesis import song


@pytest.fixture(scope="module")
def model() -> Fingerprinter:
    return Fingerprinter.from_model()


def recordings(folder: Path) -> list[Path]:
    """Write a song whose last six seconds are silent, and another."""
    first, second = song(1, 12.0), song(2, 9.0)
    first[-6 * 16_000 :] = 0.0
    paths = [folder / "first.wav", folder / "second.wav"]
    for path, samples in zip(paths, (first, second), strict=True):
        soundfile.write(path, samples, 16_000)
    return paths


def test_windows_are_those_of_a_database_and_silence_has_none(tmp_path: Path, model: Fingerprinter) -> None:
    paths = recordings(tmp_path)
    found = read_passages(paths, model, tmp_path / "cache", hop_s=1.0)
    assert found.songs.tolist() == [0] * 10 + [1] * 7
    assert found.sounding.tolist() == [0, 1, 2, 3, 4, 5, *range(10, 17)]
    samples = soundfile.read(paths[1], dtype="float32")[0]
    np.testing.assert_allclose(found.vectors[10:], model.embed(samples, 1.0), atol=0.05)


def test_melodies_are_chroma_less_what_is_usual_in_all_windows(tmp_path: Path, model: Fingerprinter) -> None:
    paths = recordings(tmp_path)
    found = read_passages(paths, model, tmp_path / "cache", hop_s=1.0)
    images = []
    for path in paths:
        samples = soundfile.read(path, dtype="float32")[0]
        starts = range(0, len(samples) - model.window_samples + 1, 16_000)
        images += [model.front_end(samples[None, start : start + model.window_samples]) for start in starts]
    expected = chroma(np.concatenate(images), FrontEndConfig(**model.folder.manifest["front_end"]))
    np.testing.assert_allclose(found.melodies, expected, atol=0.01)


def test_a_later_beginning_reads_what_lies_there(tmp_path: Path, model: Fingerprinter) -> None:
    paths = recordings(tmp_path)
    later = read_passages(paths, model, tmp_path / "cache", hop_s=1.0, delays_s=[0.0, 2.0])
    found = read_passages(paths, model, tmp_path / "cache", hop_s=1.0)
    rows = [*range(10), *range(2, 10), *range(10, 17), *range(12, 17)]
    np.testing.assert_array_equal(later.vectors, found.vectors[rows])
    assert later.songs.tolist() == [0] * 18 + [1] * 12
    assert later.runs.tolist() == [0] * 10 + [1] * 8 + [2] * 7 + [3] * 5


def test_neighbours_stay_within_their_run() -> None:
    runs = np.array([0, 0, 0, 2, 2])
    assert neighbours(runs, 3).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [3, 3, 4], [3, 4, 4]]
    assert neighbours(runs, 1).tolist() == [[0], [1], [2], [3], [4]]
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert beside(rows, neighbours(runs, 3))[3].tolist() == [6, 7, 6, 7, 8, 9]
