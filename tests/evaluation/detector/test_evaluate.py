from pathlib import Path

import pytest

from evaluation.detector.evaluate import evaluate_detector
from evaluation.detector.report import plot, to_markdown
from evaluation.detector.sweep import SILENCE_DBFS
from nowplaying_core.artifacts import SHIPPED_DETECTOR, write_json
from nowplaying_core.manifest import ModelFolder
from tests.detector.one_stage import one_stage
from tests.detector.sounds import corpus_folder

SETTINGS = {"n_clips": 2, "n_streams": 1, "n_room_tone": 1, "stream_s": 120.0}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_folder(tmp_path_factory.mktemp("corpus"), seconds=8.0)


def test_figures_are_plain_values_and_every_table_is_filled(corpus: Path, tmp_path: Path) -> None:
    metrics = evaluate_detector(SHIPPED_DETECTOR, corpus=corpus, cache_dir=tmp_path / "pcm", **SETTINGS)
    write_json(tmp_path / "metrics.json", metrics)
    assert metrics["schema"] == "detector-metrics/2"
    assert metrics["streams"]["gates"] == [ModelFolder.open(SHIPPED_DETECTOR).manifest["gate"]]
    assert metrics["streams"]["default_kernels"]["n_streams"] == 1
    assert metrics["room_tone"]["hours"] == pytest.approx(120 / 3_600, abs=1e-3)
    text = to_markdown(metrics)
    for title in ("condition", "false wake-ups per hour without music", "music (audible regions)", "single windows"):
        assert title in text
    assert "nan" not in text
    plot(metrics, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5_000


def test_a_gate_fitted_here_is_quiet_enough(corpus: Path, tmp_path: Path) -> None:
    metrics = evaluate_detector(
        SHIPPED_DETECTOR, corpus=corpus, cache_dir=tmp_path / "pcm", max_false_per_hour=1.0, **SETTINGS
    )
    (gate,) = metrics["streams"]["gates"]
    assert gate["silence_dbfs"] == SILENCE_DBFS
    rates = [row["false_triggers_per_hour"] for row in metrics["best_gates"]]
    assert rates == sorted(rates)
    assert metrics["streams"]["false_triggers_per_hour"]["value"] <= max(1.0, rates[0]) + 1e-4


def test_a_detector_of_two_stages_is_measured_with_both(corpus: Path, tmp_path: Path) -> None:
    one, two = (
        evaluate_detector(name, corpus=corpus, cache_dir=tmp_path / "pcm", **SETTINGS)
        for name in (one_stage(tmp_path / "one"), SHIPPED_DETECTOR)
    )
    assert two["model"]["name"] == SHIPPED_DETECTOR
    # The clips here are separable for either stage; in streams the outputs differ.
    assert two["streams"]["det"]["all"] != one["streams"]["det"]["all"]
    runs = two["second_stage"]
    manifest = ModelFolder.open(SHIPPED_DETECTOR).manifest
    assert runs["wanted_above"] == manifest["cascade"]["wanted_above"]
    assert runs["model_sha256"] == manifest["files"]["second_stage.tflite"]["sha256"]
    assert 0 < runs["runs_per_hour"]["music"]["value"] <= 5_625
    assert "second_stage" not in one
    # Where the first stage is low the second does not run, in either kernels.
    assert two["streams"]["default_kernels"]["n_streams"] == one["streams"]["default_kernels"]["n_streams"]
