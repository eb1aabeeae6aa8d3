"""A profile from traces of current: a known answer comes back within two percent, and noise is refused."""

from pathlib import Path

import numpy as np
import pytest

from nowplaying_core.errors import ConfigError
from simulator.energy.costs import CostModel
from simulator.energy.device import DeviceProfile
from simulator.energy.traces import Measurement, Trace, calibrated, profile_text
from simulator.energy.work import DatabaseSize
from tests.simulator.bench import MODELS

SUSPEND_MA, DETECTOR_MA, WAKE_J, VOLTAGE_V, N_ANSWERS = 7.3, 0.31, 1.12, 3.85, 20
RATE_HZ, DURATION_S = 100, 1200.0
TITLE = 'My "board" été \U0001f3b8\x7f\\'


def currents_ma(kind: str, rng: np.random.Generator, *, wake_j: float = WAKE_J) -> np.ndarray:
    """Return a device's current: noise, a modem that looks for the network each 1.28 s, listening, wake-ups."""
    n = int(RATE_HZ * DURATION_S)
    time_s = np.arange(n) / RATE_HZ
    # The modem's pulses are a part of the sleeping device's mean.
    pulses = (time_s % 1.28 < 0.05) * 40.0
    current = SUSPEND_MA - pulses.mean() + pulses + rng.normal(0, 0.5, n)
    if kind != "asleep":
        current += DETECTOR_MA
    if kind == "answering":
        # Each wake-up: a steep resume, computing, and a tail, with the given energy in all.
        shape = np.concatenate([np.full(20, 120.0), np.full(40, 70.0), np.linspace(40, 0, 60)])
        shape *= wake_j / (shape.sum() / RATE_HZ * 1e-3 * VOLTAGE_V)
        for start in np.linspace(1000, n - 1000, N_ANSWERS).astype(int):
            current[start : start + len(shape)] += shape
    return current


def write_traces(folder: Path, *, wake_j: float = WAKE_J) -> dict[str, Path]:
    rng = np.random.default_rng(4)
    paths = {}
    for kind, head, time_factor, current_factor in (
        ("asleep", "time_s,current_ma", 1.0, 1.0),
        ("listening", "Timestamp(ms),Current(uA)", 1e3, 1e3),
        ("answering", "Time (s),Main (mA),Voltage (V)", 1.0, 1.0),
    ):
        current = currents_ma(kind, rng, wake_j=wake_j)
        rows = (f"{time_factor * i / RATE_HZ:.6f},{current_factor * one:.5f},3.85" for i, one in enumerate(current))
        paths[kind] = folder / f"{kind}.csv"
        paths[kind].write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return paths


def measure(paths: dict[str, Path]) -> Measurement:
    traces = {kind: Trace.read(path) for kind, path in paths.items()}
    return Measurement(**traces, n_answers=N_ANSWERS, voltage_v=VOLTAGE_V)


def test_a_known_answer_comes_back_within_two_percent(tmp_path: Path) -> None:
    measurement, size = measure(write_traces(tmp_path)), DatabaseSize()
    for figure, truth in (
        (measurement.suspend(), SUSPEND_MA),
        (measurement.detector(), DETECTOR_MA),
        (measurement.wake(), WAKE_J),
    ):
        assert figure.value == pytest.approx(truth, rel=0.02)
        assert figure.low < truth < figure.high
        assert figure.certainty == "P"
    profile = calibrated(DeviceProfile.load("pixel-6"), measurement, MODELS, size, name="mine", title=TITLE)
    path = tmp_path / "mine.toml"
    path.write_text(profile_text(profile), encoding="utf-8")
    loaded = DeviceProfile.load(path)
    assert loaded == profile
    costs = CostModel.modelled(loaded, MODELS, size)
    assert costs.wake_j == pytest.approx(WAKE_J, rel=0.02)
    assert costs.total_listening_mw == pytest.approx(DETECTOR_MA * VOLTAGE_V, rel=0.02)
    assert costs.day_mah(100) == pytest.approx(24 * DETECTOR_MA + 100 * WAKE_J / (3.6 * VOLTAGE_V), rel=0.02)
    assert CostModel.published(loaded, MODELS, size) is None


def test_a_wake_up_cheaper_than_its_computing_is_refused(tmp_path: Path) -> None:
    measurement = measure(write_traces(tmp_path, wake_j=0.05))
    with pytest.raises(ConfigError, match="computing alone"):
        calibrated(DeviceProfile.load("pixel-2"), measurement, MODELS, DatabaseSize(), name="x", title="X")


def test_a_difference_that_is_noise_is_refused(tmp_path: Path) -> None:
    paths = write_traces(tmp_path)
    same = measure({**paths, "listening": paths["asleep"]})
    with pytest.raises(ConfigError, match="no more than noise"):
        same.detector()
    swapped = measure({**paths, "listening": paths["asleep"], "asleep": paths["listening"]})
    with pytest.raises(ConfigError, match="in each other's place"):
        swapped.detector()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time,current\n" + "1,2\n" * 50, "with its unit"),
        ("time_s,current_ma\n" + "1,2\n" * 50, "ascend"),
        ("time_s,current_ma\n1,2\n2,2\n", "at least 40"),
        ("time_s,current_ma\n" + "".join(f"{i},x\n" for i in range(50)), "a number"),
        ("", "a trace of current"),
        ("time_s,current_ma\n" + "1" * 200_000, "a trace of current"),
    ],
)
def test_a_broken_trace_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=reason) as caught:
        Trace.read(path)
    assert "broken.csv" in str(caught.value)


def test_too_few_answers_and_impossible_voltages_are_refused(tmp_path: Path) -> None:
    trace = Trace.read(write_traces(tmp_path)["asleep"])
    for n_answers, voltage_v, reason in ((4, 3.85, "at least 5"), (20, 400.0, "from 0.8 to 15 V")):
        with pytest.raises(ConfigError, match=reason):
            Measurement(asleep=trace, listening=trace, answering=trace, n_answers=n_answers, voltage_v=voltage_v)
