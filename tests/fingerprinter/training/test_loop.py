import csv
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from fingerprinter.training import loop
from fingerprinter.training.loop import averaged_weights, compile_for, fit, learning_rate, prefetch
from fingerprinter.training.progress import RunLog
from nowplaying_core.artifacts import write_json
from nowplaying_core.errors import ConfigError
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    rates = [learning_rate(step, peak=2e-3, n_warmup=10, n_steps=100) for step in range(100)]
    assert rates[9] == pytest.approx(2e-3)
    assert np.all(np.diff(rates[:10]) > 0)
    assert np.all(np.diff(rates[10:]) <= 0)
    assert rates[-1] < 2e-6


def test_the_rate_may_stay_at_its_peak_until_a_cooldown() -> None:
    rates = [learning_rate(step, peak=2e-3, n_warmup=10, n_steps=100, n_cooldown=30) for step in range(100)]
    assert np.all(np.diff(rates[:10]) > 0)
    np.testing.assert_allclose(rates[9:71], 2e-3)
    assert np.all(np.diff(rates[70:]) < 0)
    assert rates[-1] < 2e-5


def test_a_step_sees_the_same_batch_wherever_a_run_begins() -> None:
    whole = dict(prefetch(lambda rng: float(rng.random()), seed=3, steps=range(6)))
    later = dict(prefetch(lambda rng: float(rng.random()), seed=3, steps=range(4, 6)))
    assert later == {step: whole[step] for step in (4, 5)}
    assert len(set(whole.values())) == 6


def test_an_error_of_the_drawing_thread_reaches_the_training() -> None:
    def draw(rng: np.random.Generator) -> float:
        message = "no such recording"
        raise OSError(message)

    with pytest.raises(OSError, match="no such recording"):
        list(prefetch(draw, seed=1, steps=range(3)))


def test_the_average_stands_in_for_the_weights_for_a_while() -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].set_weights([np.array([[1.0]], np.float32)])
    model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), loss="mse")
    ones = np.ones((4, 1), np.float32)
    seen = []
    for _ in range(2):
        model.train_on_batch(ones, 0 * ones)
        seen.append(float(model.layers[0].get_weights()[0][0, 0]))
    with averaged_weights(model):
        assert model.layers[0].get_weights()[0][0, 0] == pytest.approx(np.mean(seen), rel=1e-5)
    assert model.layers[0].get_weights()[0][0, 0] == seen[-1]


def test_a_variable_moves_by_its_own_multiple_of_the_rate() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    compile_for(model, small_config("cola", learning_rate=1e-3), rates=[1.0, 1.0, 4.0, 0.0])
    before = [weight.copy() for weight in model.get_weights()]
    model.optimizer.apply([keras.ops.ones_like(weight) for weight in model.trainable_variables])
    moved = [old - new for old, new in zip(before, model.get_weights(), strict=True)]
    for distance, rate in zip(moved, (1e-3, 1e-3, 4e-3, 0.0), strict=True):
        np.testing.assert_allclose(distance, rate, atol=1e-6)  # Adam's first step has the length of the rate


def test_a_log_from_before_a_column_was_added_goes_on_with_its_own(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n1,0.5\n")
    RunLog(tmp_path, 1).append({"step": 2, "loss": 0.25, "cpu_s": 3.0})
    assert (tmp_path / "log.csv").read_text().split() == ["step,loss", "1,0.5", "2,0.25"]
    (tmp_path / "new").mkdir()
    RunLog(tmp_path / "new", 0).append({"step": 2, "loss": 0.25, "cpu_s": 3.0})
    assert (tmp_path / "new" / "log.csv").read_text().splitlines()[0].endswith(",cpu_s")


@pytest.mark.parametrize("left", ["step,loss\r\n2,0.5\r\n4,0.3\r\n", "step,loss\r\n2,0.5\r\n4,0", "step,lo"])
def test_a_resumed_run_takes_out_of_its_log_what_it_repeats(tmp_path: Path, left: str) -> None:
    (tmp_path / "log.csv").write_text(left, newline="")
    done = 2 if "0.5" in left else 0
    RunLog(tmp_path, done).append({"step": 4, "loss": 0.25})
    rows = list(csv.DictReader((tmp_path / "log.csv").open(newline="")))
    assert [(row["step"], row["loss"]) for row in rows] == [("2", "0.5"), ("4", "0.25")][not done :]


def small_model() -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activity_regularizer="l2")])
    compile_for(model, small_config("cola"))
    return model


@pytest.mark.parametrize("killed_at", ["before", "after"])
def test_a_run_killed_between_weights_and_state_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    class KilledError(Exception):
        pass

    def killed(path: Path, state: dict[str, float]) -> None:
        if state["step"] == 4 and killed_at == "before":
            raise KilledError
        write_json(path, state)
        if state["step"] == 4:
            raise KilledError

    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.random((2, 3)).astype(np.float32)

    schedule = small_config("cola", n_steps=6)
    whole, first, parts = small_model(), small_model(), small_model()
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    fit(whole, draw, schedule, tmp_path / "whole")
    monkeypatch.setattr(loop, "write_json", killed)
    with pytest.raises(KilledError):
        fit(first, draw, schedule, tmp_path / "parts")
    monkeypatch.undo()
    fit(parts, draw, schedule, tmp_path / "parts")
    assert int(parts.optimizer.iterations) == 6
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    rows = list(csv.DictReader((tmp_path / "parts" / "log.csv").open(newline="")))
    assert [row["step"] for row in rows] == ["2", "4", "6"]
    assert sorted(path.name for path in (tmp_path / "parts").glob("*.h5")) == ["checkpoint.weights.h5"]


def test_a_run_whose_weights_are_gone_does_not_go_on_from_new_ones(tmp_path: Path) -> None:
    def draw(rng: np.random.Generator) -> np.ndarray:
        return rng.random((2, 3)).astype(np.float32)

    fit(small_model(), draw, small_config("cola", n_steps=2), tmp_path)
    (tmp_path / "checkpoint.weights.h5").unlink()
    with pytest.raises(ConfigError, match=r"checkpoint\.weights\.h5: expected the weights after 2 steps, found none"):
        fit(small_model(), draw, small_config("cola", n_steps=4), tmp_path)
