"""Latencies measured with benchmark_model take the place of the estimate."""

import json
from pathlib import Path
from typing import Any

import pytest

from nowplaying_core.errors import ConfigError
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.latencies import PhoneLatencies
from simulator.energy.work import DatabaseSize
from tests.simulator.bench import MODELS

# The JSON form of the BenchmarkResult message that benchmark_model --result_file_path writes.
BENCHMARK = {
    "latency_metrics": {"init_ms": 3.1, "first_inference_ms": 9.0, "avg_ms": 6.5, "median_ms": 6.0, "p95_ms": 8.0},
    "misc_metrics": {"num_runs": 50},
}


def write(path: Path, table: Any) -> Path:
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def test_measured_times_replace_the_estimate(tmp_path: Path) -> None:
    path = write(
        tmp_path / "pixel-6.json",
        {
            "device": "Pixel 6",
            "encoder.tflite": BENCHMARK,
            "frontend.tflite": {"latencyMetrics": {"avgMs": 2.0}},
            "match_ms": 30.0,
        },
    )
    latencies = PhoneLatencies.load(path)
    assert "Pixel 6" in latencies.source
    device, size = DeviceProfile.load("pixel-6"), DatabaseSize()
    costs = CostModel.modelled(device, MODELS, size, latencies)
    assert costs.latency_parts_s["encoder"] == pytest.approx(12 * 0.006)
    assert costs.latency_parts_s["front end"] == pytest.approx(12 * 0.002)
    assert costs.latency_parts_s["matching"] == pytest.approx(0.030)
    slower = CostModel.modelled(device, MODELS, size, PhoneLatencies(encoder_ms=60.0, source="test"))
    assert slower.wake_j - CostModel.modelled(device, MODELS, size).wake_j == pytest.approx(
        device.core_w * (12 * 0.060 - 12 * 30e6 / 14e9)
    )


@pytest.mark.parametrize(
    "table",
    [
        [],
        {},
        {"device": "x"},
        {"unknown.tflite": BENCHMARK},
        {"encoder.tflite": {}},
        {"encoder.tflite": {"latency_metrics": {"avg_ms": -1}}},
        {"encoder.tflite": {"latency_metrics": {"avg_ms": 1e12}}},
        {"match_ms": 60_001},
        {"match_ms": "fast"},
    ],
)
def test_refuses_what_is_no_measurement(tmp_path: Path, table: Any) -> None:
    path = write(tmp_path / "bench.json", table)
    with pytest.raises(ConfigError, match=r"bench\.json: .*expected"):
        PhoneLatencies.load(path)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="latencies in JSON"):
        PhoneLatencies.load(tmp_path / "missing.json")
