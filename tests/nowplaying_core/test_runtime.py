import sys
from pathlib import Path

import numpy as np
import pytest

from nowplaying_core import runtime
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, builtin_model_dir
from nowplaying_core.errors import CorruptArtifactError, MissingExtraError
from nowplaying_core.runtime import TensorSpec, TfliteModel, installed_runtimes

INT8 = TensorSpec(shape=(1, 4), dtype=np.dtype(np.int8), scale=0.5, zero_point=-3)


def test_quantizing_rounds_to_nearest_and_saturates() -> None:
    values = np.array([0.0, 0.26, 0.24, 1_000.0, -1_000.0], np.float32)
    assert INT8.quantize(values).tolist() == [-3, -2, -3, 127, -128]


def test_dequantizing_undoes_quantizing_within_half_a_step(rng: np.random.Generator) -> None:
    values = rng.uniform(-60, 60, 1_000).astype(np.float32)
    assert np.abs(INT8.dequantize(INT8.quantize(values)) - values).max() <= INT8.scale / 2 + 1e-6


def test_dequantizing_int8_does_not_overflow() -> None:
    spec = TensorSpec(shape=(1,), dtype=np.dtype(np.int8), scale=1.0, zero_point=-128)
    assert spec.dequantize(np.array([127], np.int8)).tolist() == [255.0]


def test_float_tensors_pass_through(rng: np.random.Generator) -> None:
    spec = TensorSpec(shape=(3,), dtype=np.dtype(np.float32), scale=0.0, zero_point=0)
    values = rng.standard_normal(3).astype(np.float32)
    np.testing.assert_array_equal(spec.dequantize(spec.quantize(values)), values)


@pytest.fixture
def front_end() -> Path:
    return builtin_model_dir(SHIPPED_FINGERPRINTER) / "frontend.tflite"


def test_graph_runs_alike_each_time_and_returns_a_copy(front_end: Path, rng: np.random.Generator) -> None:
    model = TfliteModel(front_end)
    window = (0.1 * rng.standard_normal(model.input.shape)).astype(np.float32)
    first = model.run(window)
    kept = first.copy()
    model.run(np.zeros_like(window))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(model.run(window), kept)
    assert first.shape == model.output.shape


def test_nothing_is_written_to_stderr(front_end: Path, capfd: pytest.CaptureFixture[str]) -> None:
    TfliteModel(front_end)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"", b"no graph", bytes(1_000)])
def test_what_is_no_graph_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tflite").write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=r"bad\.tflite"):
        TfliteModel(tmp_path / "bad.tflite")


def test_without_a_runtime_the_extra_is_named(front_end: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ai_edge_litert", "ai_edge_litert.interpreter", "tflite_runtime", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    assert installed_runtimes() == []
    with pytest.raises(MissingExtraError, match="tflite-runtime"):
        TfliteModel(front_end)


def test_litert_is_preferred() -> None:
    assert runtime._RUNTIMES[0].startswith("ai_edge_litert")
