import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from export import publish_fingerprinter as publishing
from export.publish_fingerprinter import publish_fingerprinter, replace_codes
from fingerprinter.training.config import TrainingConfig
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir, write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.manifest import ModelFolder
from ondevice_db.index.choose_codebook import shipped_codebook
from ondevice_db.index.codebook import Codebook
from ondevice_db.index.smoothing import unsmoothed
from ondevice_db.index.train_codebook import with_smoothing
from tests.ondevice_db.material import walk

pytestmark = pytest.mark.train


def test_a_run_that_has_not_ended_is_refused(tmp_path: Path) -> None:
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
    assert not (tmp_path / "model").exists()


def test_a_models_codes_are_replaced_by_the_other_kind(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faiss", reason="needs the train extra")
    model, sources = tmp_path / "model", TrainingSources(corpus=tmp_path, cache_dir=tmp_path)
    shutil.copytree(builtin_model_dir(SHIPPED_FINGERPRINTER), model)
    songs = [walk(rng, 60) for _ in range(20)]
    vectors = np.concatenate(songs)
    monkeypatch.setattr(publishing, "_embed_music", lambda *_: publishing._Music(songs, vectors))
    monkeypatch.setattr(publishing, "CODE_BYTES", (6, 12))
    centroids = np.array(Codebook.load(model).centroids)
    replace_codes(model, sources, "product", jobs=1)  # the shipped ones are residual
    assert Codebook.load(model).kind == shipped_codebook(model, 6).kind == "product"
    replace_codes(model, sources, "residual", jobs=1)
    opened = ModelFolder.open(model)  # all hashes
    stated = {name: opened.manifest["codebook"][name] for name in ("kind", "n_cells", "n_subspaces")}
    assert stated == {"kind": "residual", "n_cells": 1024, "n_subspaces": 12}
    assert opened.manifest["codebook"]["n_training_fingerprints"] == len(vectors)
    after = Codebook.load(model)
    assert (after.kind, shipped_codebook(model, 6).kind) == ("residual", "residual")
    assert (after.n_subspaces, shipped_codebook(model, 6).n_subspaces) == (12, 6)
    np.testing.assert_array_equal(after.centroids, centroids)
    assert {"codebook_smoothing.npy", "codebook_smoothing_6.npy"} <= set(opened.manifest["files"])
    np.testing.assert_array_equal(after.smoothing, with_smoothing(after, songs).smoothing)
    assert np.abs(after.smoothing - unsmoothed(96)).max() > 0.01
    words = np.array(after.pq_centroids)
    replace_codes(model, sources, jobs=1)  # no kind: only the other sizes
    np.testing.assert_array_equal(Codebook.load(model).pq_centroids, words)
    replace_codes(model, sources, code_bytes=7, all_code_sizes=False, jobs=1)  # of 96 dimensions
    seven = ModelFolder.open(model).manifest["codebook"]
    assert (seven["kind"], seven["n_subspaces"], Codebook.load(model).n_subspaces) == ("residual", 7, 7)
    sizes = {6: "codebook_rotation_6.npy", 12: "codebook_rotation_12.npy"}
    assert (model / sizes[6]).exists()  # of the default's kind
    replace_codes(model, sources, jobs=1)
    assert (model / sizes[12]).exists()
    replace_codes(model, sources, code_bytes=12, all_code_sizes=False, jobs=1)
    opened = ModelFolder.open(model)
    assert opened.manifest["codebook"]["further_code_bytes"] == [6]
    assert not (model / sizes[12]).exists()  # the default codebook has 12 bytes now
    replace_codes(model, sources, "product", all_code_sizes=False, jobs=1)
    opened = ModelFolder.open(model)
    assert opened.manifest["codebook"]["further_code_bytes"] == []
    codebook_files = {path.name for path in model.glob("codebook_*")}
    assert codebook_files == {"codebook_centroids.npy", "codebook_rotation.npy", "codebook_pq_centroids.npy"}
    assert {name for name in opened.manifest["files"] if name.startswith("codebook_")} == codebook_files
    assert shipped_codebook(model, 6).n_subspaces == 12
    replace_codes(model, sources, "product", 12, jobs=1)
    opened = ModelFolder.open(model)
    assert opened.manifest["codebook"]["kind"] == "product"
    assert opened.manifest["codebook"]["further_code_bytes"] == [6]
    maps = {"codebook_smoothing.npy", "codebook_smoothing_6.npy"}
    assert not maps & set(opened.manifest["files"])
    assert not [name for name in maps if (model / name).exists()]


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
