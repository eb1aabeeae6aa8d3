"""Error rates come from the models' metrics files, by kind of sound and level where they are there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError
from simulator.days.error_rates import published_rates
from simulator.days.measured_rates import measured_rates
from simulator.days.scenes import SOUNDS
from tests.detector.one_stage import one_stage

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, Change], Path]:
    """Return a copy of a shipped model whose metrics were changed."""

    def copy(name: str, change: Change) -> Path:
        folder = tmp_path / name
        shutil.copytree(builtin_model_dir(name), folder)
        path = folder / "metrics.json"
        metrics = json.loads(path.read_text(encoding="utf-8"))
        change(metrics)
        path.write_text(json.dumps(metrics), encoding="utf-8")
        return folder

    return copy


def interval(value: float) -> dict[str, float]:
    return {"value": value, "low": value / 2, "high": value * 2}


def test_the_shipped_models_rates_are_those_of_their_files() -> None:
    shipped = measured_rates()
    metrics = json.loads((builtin_model_dir(SHIPPED_DETECTOR) / "metrics.json").read_text(encoding="utf-8"))
    streams = metrics["streams"]
    assert set(shipped.false_triggers_per_h) == set(SOUNDS)
    assert np.median(shipped.delays_s) == pytest.approx(streams["median_delay_s"], rel=0.1)
    for constant in shipped.constants().values():
        assert constant.low <= constant.value <= constant.high
        assert constant.source


def test_kinds_of_sound_and_levels_are_told_apart_where_the_file_does(changed: Callable[[str, Change], Path]) -> None:
    def detail(metrics: dict[str, Any]) -> None:
        metrics["room_tone"] = {"hours": 8.0, "n_triggers": 0, "per_hour": {"value": 0.0, "low": 0.0, "high": 0.46}}
        metrics["streams"] |= {
            "false_triggers_by_label": {
                "rooster": {"n": 6, "hours": 0.5, "per_hour": interval(12.0)},
                "rain": {"n": 0, "hours": 1.5, "per_hour": interval(0.0)},
                "speech": {"n": 1, "hours": 2.0, "per_hour": interval(0.5)},
                "quiet": {"n": 0, "hours": 1.0, "per_hour": interval(0.0)},
            },
            "recall_by_snr": {"-5 to 0 dB": {"n": 20, **interval(0.4)}, "5 to 10 dB": {"n": 20, **interval(0.9)}},
            "delay_90_percent_s": 9.0,
            "false_triggers_per_hour": interval(1.5),
        }

    rates = measured_rates(changed(SHIPPED_DETECTOR, detail))
    assert rates.false_per_h("noise") == 3.0
    assert rates.false_per_h("speech") == 0.5
    assert rates.false_per_h("quiet") == 0.0
    assert rates.false_triggers_per_h["quiet"].high == 0.46
    assert rates.false_per_h("speech in noise") == 1.5, "of all sound, where the label is missing"
    assert rates.recall_at(20.0) == rates.recall_at(5.0) == 0.9
    assert rates.recall_at(4.9) == rates.recall_at(-5.0) == 0.4
    assert rates.recall_at(-10.0) == pytest.approx(0.2)
    assert rates.recall_at(-15.0) == 0.0
    assert max(rates.delays_s) == pytest.approx(13.5)


def test_runs_of_a_second_stage_come_from_the_metrics_where_they_were_measured(
    changed: Callable[[str, Change], Path], tmp_path: Path
) -> None:
    assert measured_rates(one_stage(tmp_path / "one")).second_stage_per_h == {}
    folder = changed(SHIPPED_DETECTOR, lambda metrics: metrics.pop("second_stage"))
    assumed = measured_rates(folder).second_stage_per_h
    assert {kind: one.value for kind, one in assumed.items()} == {"music": 5625.0, "other": 5625.0, "quiet": 0.0}
    assert {one.certainty for one in assumed.values()} == {"A"}
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    metrics["second_stage"] = {
        "runs_per_hour": {"music": interval(4000.0), "other": interval(700.0), "quiet": interval(2.0)}
    }
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    rates = measured_rates(folder)
    assert {kind: one.value for kind, one in rates.second_stage_per_h.items()} == {
        "music": 4000.0,
        "other": 700.0,
        "quiet": 2.0,
    }
    assert {one.certainty for one in rates.second_stage_per_h.values()} == {"P"}
    assert rates.constants()["runs of the second stage an hour, other"].high == 1400.0
    assert published_rates(rates).second_stage_per_h == {}
    del metrics["second_stage"]["runs_per_hour"]["quiet"]
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    rest = measured_rates(folder).second_stage_per_h
    assert rest["quiet"] == assumed["quiet"], "a kind of sound that no stream had"
    assert rest["music"].value == 4000.0
    metrics["second_stage"]["runs_per_hour"] = {"quiet": 3}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(CorruptArtifactError, match=r"metrics\.json"):
        measured_rates(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (SHIPPED_DETECTOR, lambda metrics: metrics.pop("streams")),
        (SHIPPED_DETECTOR, lambda metrics: metrics["streams"].update(recall="good")),
        (SHIPPED_DETECTOR, lambda metrics: metrics["streams"].update(median_delay_s=None)),
        (SHIPPED_FINGERPRINTER, lambda metrics: metrics.pop("known")),
        (SHIPPED_FINGERPRINTER, lambda metrics: metrics.update(false_accepts=[])),
        (SHIPPED_FINGERPRINTER, lambda metrics: metrics.update(known=metrics["known"][:2])),
    ],
)
def test_metrics_that_lack_a_rate_are_refused(
    changed: Callable[[str, Change], Path], name: str, change: Change
) -> None:
    folder = changed(name, change)
    models = {"detector": folder} if name == SHIPPED_DETECTOR else {"fingerprinter": folder}
    with pytest.raises(CorruptArtifactError, match=r"metrics\.json: expected"):
        measured_rates(**models)


def test_metrics_that_are_no_json_are_refused(changed: Callable[[str, Change], Path]) -> None:
    folder = changed(SHIPPED_DETECTOR, lambda metrics: None)
    for text in ("{", "[]"):
        (folder / "metrics.json").write_text(text, encoding="utf-8")
        with pytest.raises(CorruptArtifactError, match=r"metrics\.json"):
            measured_rates(folder)
