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
    assert costs.latency_parts_s["encoder"] == pytest.approx(18 * 0.006)
    assert costs.latency_parts_s["front end"] == pytest.approx(18 * 0.002)
    assert costs.latency_parts_s["matching"] == pytest.approx(1.5 * 0.030)
    slower = CostModel.modelled(device, MODELS, size, PhoneLatencies(encoder_ms=60.0, source="test"))
    assert slower.wake_j - CostModel.modelled(device, MODELS, size).wake_j == pytest.approx(
        device.core_w * (18 * 0.060 - 18 * 30e6 / 14e9)
    )


# The form of what benchmark_model prints, old and new; the older one has no percentiles.
OLD_LOG = """STARTING!
Graph: [/data/local/tmp/frontend.tflite]
count=50 first=1249 curr=1240 min=1238 max=1252 avg=1240.5 std=25

Inference timings in us: Init: 5579, First inference: 1357, Warmup (avg): 1357.6, Inference (avg): 1240.5
"""
NEW_LOG = """INFO: STARTING!
INFO: Graph: [/data/local/tmp/encoder.tflite]
INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.
INFO: count=40 first=90000 curr=12000 min=11000 max=90000 avg=14000 std=9000 p5=11500 median=12500 p95=20000

INFO: count=500 first=6100 curr=6000 min=5900 max=1.2e+04 avg=6.5e+03 std=65 p5=5950 median=6000 p95=8000

INFO: Inference timings in us: Init: 5579, First inference: 90000, Warmup (avg): 1.4e+04, Inference (avg): 6.5e+03
"""


def test_what_the_tool_prints_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "phone.log"
    path.write_text(OLD_LOG + NEW_LOG, encoding="utf-8")
    latencies = PhoneLatencies.load(path)
    assert latencies.front_end_ms == pytest.approx(1.2405)
    assert latencies.encoder_ms == pytest.approx(6.0)
    assert latencies.match_ms is None
    path.write_text(OLD_LOG, encoding="utf-8")
    assert PhoneLatencies.load(path).encoder_ms is None


@pytest.mark.parametrize(
    "log",
    [
        "",
        "no such thing\n",
        "Graph: [encoder.tflite]\n",
        OLD_LOG.replace("frontend", "other"),
        OLD_LOG.replace("1240.5", "1e12"),
        OLD_LOG.replace("Graph:", "Model:"),
        "[" * 100_000,
    ],
)
def test_a_log_without_a_time_of_a_graph_is_refused(tmp_path: Path, log: str) -> None:
    path = tmp_path / "phone.log"
    path.write_text(log, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"phone\.log: .*expected"):
        PhoneLatencies.load(path)


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
    with pytest.raises(ConfigError, match="log of benchmark_model, or latencies in JSON"):
        PhoneLatencies.load(tmp_path / "missing.json")
