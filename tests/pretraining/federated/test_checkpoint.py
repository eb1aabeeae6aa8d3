from pathlib import Path

import numpy as np

from pretraining.federated.checkpoint import read_checkpoint, write_checkpoint


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    # Twelve arrays: the tenth must not come after the first.
    weights = [rng.normal(size=(2, number + 1)).astype(np.float32) for number in range(12)]
    state = {"weights": weights, "momentum": [], "clipping_norm": 0.1, "rounds": [{"round": 1}], "accountant": None}
    write_checkpoint(tmp_path / "state.npz", state)
    found = read_checkpoint(tmp_path / "state.npz")
    for name in ("momentum", "clipping_norm", "rounds", "accountant"):
        assert found.pop(name) == state[name]
    assert list(found) == ["weights"]
    for one, other in zip(found["weights"], weights, strict=True):
        np.testing.assert_array_equal(one, other)
