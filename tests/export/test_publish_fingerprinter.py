import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from export import publish_fingerprinter as publishing
from export.publish_fingerprinter import publish_fingerprinter, replace_codes
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, CorruptArtifactError, MissingPathError
from nowplaying_core.manifest import ModelFolder
from ondevice_db.index.choose_codebook import shipped_codebook
from ondevice_db.index.codebook_files import load_codebook
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.index.train_codebook import with_smoothing
from tests.ondevice_db.material import walk

pytestmark = pytest.mark.train


def test_a_run_that_has_not_ended_or_learned_from_other_recordings_is_refused(tmp_path: Path) -> None:
    run, sources = tmp_path / "run", TrainingSources(corpus=tmp_path, cache_dir=tmp_path)
    run.mkdir()
    with pytest.raises(ConfigError, match=r"encoder\.weights\.h5"):
        publish_fingerprinter(run, tmp_path / "model", sources)
    for name in ("encoder.weights.h5", "calibration.npy"):
        (run / name).touch()
    write_json(run / "config.json", TrainingConfig(n_steps=10).to_dict())
    write_json(run / "checkpoint.json", {"step": 5})
    with pytest.raises(ConfigError, match="step 5 of 10"):
        publish_fingerprinter(run, tmp_path / "model", sources)
    write_json(run / "checkpoint.json", {"step": 10})
    write_json(run / "init.json", {"teacher": None, "music": 4})
    with pytest.raises(ConfigError, match="this run was given music: 4, not 0"):  # the manifest states their licences
        publish_fingerprinter(run, tmp_path / "model", sources)
    assert not (tmp_path / "model").exists()


@pytest.fixture
def songs(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Return the fingerprints that codebooks learn from here, in place of a corpus's."""
    pytest.importorskip("faiss", reason="needs the train extra")
    songs = [walk(rng, 60) for _ in range(20)]
    monkeypatch.setattr(publishing, "_embed_music", lambda *_: publishing._Music(songs, np.concatenate(songs)))
    monkeypatch.setattr(publishing, "CODE_BYTES", (6, 12))
    return songs


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a copy of the shipped fingerprinter, whose codes are residual."""
    return Path(shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), tmp_path / "model"))


@pytest.fixture
def sources(tmp_path: Path) -> TrainingSources:
    return TrainingSources(corpus=tmp_path, cache_dir=tmp_path)


def files_of_codebooks(model: Path) -> set[str]:
    """Return their names, which have to be those of the manifest."""
    names = {path.name for path in model.glob("codebook_*")}
    assert {name for name in ModelFolder.open(model).manifest["files"] if name.startswith("codebook_")} == names
    return names


def test_a_models_codes_are_replaced_by_the_other_kind(
    model: Path, sources: TrainingSources, songs: list[np.ndarray]
) -> None:
    centroids = np.array(load_codebook(model).centroids)
    replace_codes(model, sources, "product", jobs=1)
    assert load_codebook(model).kind == shipped_codebook(model, 6).kind == "product"
    gone = {"codebook_words.npy", "codebook_word_steps_6.npy", "codebook_smoothing.npy", "codebook_smoothing_6.npy"}
    assert not gone & files_of_codebooks(model)
    replace_codes(model, sources, "residual", jobs=1)
    entry = ModelFolder.open(model).manifest["codebook"]
    stated = {name: entry[name] for name in ("kind", "n_cells", "n_subspaces", "further_code_bytes")}
    assert stated == {"kind": "residual", "n_cells": 1024, "n_subspaces": 12, "further_code_bytes": [6]}
    assert entry["n_training_fingerprints"] == sum(map(len, songs))
    after = load_codebook(model)
    assert (after.kind, shipped_codebook(model, 6).kind) == ("residual", "residual")
    assert (after.n_subspaces, shipped_codebook(model, 6).n_subspaces) == (12, 6)
    np.testing.assert_array_equal(after.centroids, centroids)
    assert {"codebook_smoothing.npy", "codebook_smoothing_6.npy"} <= files_of_codebooks(model)
    np.testing.assert_array_equal(after.smoothing, with_smoothing(after, songs).smoothing)
    assert np.abs(after.smoothing - unsmoothed(96)).max() > 0.01


@pytest.mark.usefixtures("songs")
def test_codes_of_another_size_leave_none_behind_that_do_not_belong(model: Path, sources: TrainingSources) -> None:
    words = np.array(load_codebook(model).pq_centroids)
    replace_codes(model, sources, jobs=1)  # no kind: only the other sizes
    np.testing.assert_array_equal(load_codebook(model).pq_centroids, words)
    replace_codes(model, sources, code_bytes=7, all_code_sizes=False, jobs=1)  # of 96 dimensions
    entry = ModelFolder.open(model).manifest["codebook"]
    assert (entry["kind"], entry["n_subspaces"], load_codebook(model).n_subspaces) == ("residual", 7, 7)
    assert "codebook_rotation_6.npy" in files_of_codebooks(model)  # of the default's kind
    replace_codes(model, sources, jobs=1)
    assert "codebook_rotation_12.npy" in files_of_codebooks(model)
    replace_codes(model, sources, code_bytes=12, all_code_sizes=False, jobs=1)
    assert ModelFolder.open(model).manifest["codebook"]["further_code_bytes"] == [6]
    assert "codebook_rotation_12.npy" not in files_of_codebooks(model)  # the default codebook has 12 bytes now
    replace_codes(model, sources, "product", all_code_sizes=False, jobs=1)
    assert ModelFolder.open(model).manifest["codebook"]["further_code_bytes"] == []
    expected = {"codebook_centroids.npy", "codebook_rotation.npy", "codebook_pq_centroids.npy"}
    assert files_of_codebooks(model) == expected
    assert shipped_codebook(model, 6).n_subspaces == 12


def test_codes_are_replaced_in_models_only(sources: TrainingSources, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="no such folder"):
        replace_codes(tmp_path / "nowhere", sources, jobs=1)
    with pytest.raises(CorruptArtifactError, match="expected a fingerprinter model"):
        replace_codes(builtin_model_dir(SHIPPED_DETECTOR), sources, jobs=1)


@pytest.mark.parametrize(("n_recorded", "expected"), [(39 * 1024, ["recorded"]), (100, ["recorded", "rendered"])])
def test_rendered_music_stands_in_where_recordings_are_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_recorded: int, expected: list[str]
) -> None:
    asked: list[str] = []

    hops = []

    def embed(_model: Path, paths: list[Path], *, hop_s: float, **_options: object) -> list[np.ndarray]:
        asked.append("recorded" if paths[0].parent.name == "music" else "rendered")
        hops.append(hop_s)
        return [np.ones((round(n_recorded / hop_s) if asked[-1] == "recorded" else round(50 / hop_s), 96), np.float32)]

    for name in ("recorded/music", "rendered"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.wav").touch()
    monkeypatch.setattr(publishing, "embed_files", embed)
    sources = TrainingSources(corpus=tmp_path / "recorded", cache_dir=tmp_path, rendered_midi=tmp_path / "rendered")
    write_json(tmp_path / "manifest.json", {"kind": "model", "schema_version": 1, "reference_hop_s": 0.5})
    for codes, hop_s in (("product", 1.0), ("residual", 0.5)):  # what smooths learns from neighbors as in databases
        asked.clear()
        hops.clear()
        music = publishing._embed_music(tmp_path, sources, codes, 1)  # type: ignore[arg-type]
        assert asked == expected
        assert set(hops) == {hop_s}
        assert len(music.learned) == n_recorded + 50 * (len(expected) - 1)
        assert sum(map(len, music.songs)) == len(music.learned) / hop_s
