"""Two tiny clients, two rounds, from a corpus to an encoder that the probe opens."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs the federated extra (docs/pretraining/federated.md)")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.encoder import load_encoder
from pretraining.federated.run import RECORD_NAME, pretrain_federated
from tests.pretraining.federated.federation import FEDERATION
from tests.pretraining.material import interrupted_at, small_config

pytestmark = pytest.mark.train


def test_two_clients_train_one_encoder_and_a_stopped_run_resumes(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = small_config("temporal_gap")
    pretrain_federated(config, FEDERATION, sources, tmp_path / "whole")
    with interrupted_at("round 1,", "pretraining.federated.run", caplog):
        pretrain_federated(config, FEDERATION, sources, tmp_path / "parts")
    with pytest.raises(ConfigError, match="pretraining end"):
        load_encoder(tmp_path / "parts")
    pretrain_federated(config, FEDERATION, sources, tmp_path / "parts")
    assert "resuming after round 1" in caplog.messages
    whole, parts = (load_encoder(tmp_path / name)[1].get_weights() for name in ("whole", "parts"))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(whole, parts, strict=True))
    record = json.loads((tmp_path / "whole" / RECORD_NAME).read_text())
    assert [row["round"] for row in record["rounds"]] == [1, 2]
    assert record["rounds"][0]["bytes_up"] >= 2 * 4 * record["n_weights"]
    statistics = [w for w in load_encoder(tmp_path / "whole")[1].non_trainable_variables if "moving_mean" in w.path]
    assert statistics
    assert all(np.abs(np.asarray(one)).max() > 1e-3 for one in statistics), "settled on the server's sound"
    with pytest.raises(ConfigError, match="other settings"):
        pretrain_federated(config, replace(FEDERATION, local_steps=3), sources, tmp_path / "whole")
