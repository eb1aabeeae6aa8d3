"""Two tiny clients, two rounds, from a corpus to an encoder that the probe opens."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="needs the federated extra (docs/pretraining/federated.md)")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.config.run import PretrainingConfig
from pretraining.encoder import load_encoder
from pretraining.federated.clients import federate
from pretraining.federated.run import RECORD_NAME, pretrain_federated, pretrain_on_server
from pretraining.train import build_pretext
from tests.pretraining.federated.federation import FEDERATION
from tests.pretraining.material import interrupted_at, small_config

pytestmark = pytest.mark.train

PRIVATE = replace(
    FEDERATION,
    sampling="poisson",
    trained=("norm",),
    server_momentum=0.5,
    clipping_norm=0.05,
    clipping_quantile=0.5,
    count_deviation=0.5,
    noise_multiplier=0.5,
)


def weights_of(run_dir: Path) -> dict[str, np.ndarray]:
    return {one.path: np.asarray(one) for one in load_encoder(run_dir)[1].weights}


def test_two_clients_train_one_encoder_and_a_stopped_run_resumes(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = small_config("temporal_gap")
    pretrain_federated(config, FEDERATION, sources, tmp_path / "whole")
    with interrupted_at("round 1,", "pretraining.federated.run", caplog):
        pretrain_federated(config, FEDERATION, sources, tmp_path / "parts")
    with pytest.raises(ConfigError, match="pretraining end"):
        load_encoder(tmp_path / "parts")
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "music").symlink_to(sources.corpus / "music")
    with pytest.raises(ConfigError, match=r"was given extra music: 0, not 4"):
        pretrain_federated(config, FEDERATION, replace(sources, extra_data=tmp_path / "extra"), tmp_path / "parts")
    pretrain_federated(config, FEDERATION, sources, tmp_path / "parts")
    assert "resuming after round 1" in caplog.messages
    whole, parts = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert all(np.allclose(whole[name], parts[name], atol=1e-5) for name in whole)
    record = json.loads((tmp_path / "whole" / RECORD_NAME).read_text())
    assert [row["round"] for row in record["rounds"]] == [1, 2]
    assert record["rounds"][0]["bytes_up"] >= 2 * 4 * record["n_weights"]
    statistics = [value for name, value in whole.items() if "moving_mean" in name]
    assert statistics
    assert all(np.abs(one).max() > 1e-3 for one in statistics), "settled on the server's sound"
    with pytest.raises(ConfigError, match="other settings"):
        pretrain_federated(config, replace(FEDERATION, local_steps=3), sources, tmp_path / "whole")


def test_clients_add_to_the_mean_image_of_the_servers_sound(sources: TrainingSources, tmp_path: Path) -> None:
    pretrain_federated(small_config("autoencoder"), replace(FEDERATION, local_rate=1e-9), sources, tmp_path)
    (first, _) = json.loads((tmp_path / RECORD_NAME).read_text())["rounds"]
    config = PretrainingConfig.from_json(tmp_path / "config.json")
    server, clients = federate(config, FEDERATION, sources, min_s=config.front_end.window_s)
    pretext = build_pretext(config, server)
    pretext.prepare(server)
    losses = []
    for number, client in enumerate(clients):
        rng = np.random.default_rng([config.seed, 1, number])
        losses += [float(pretext.objective(*pretext.draw(client, rng))) for _ in range(FEDERATION.local_steps)]
    assert first["loss"] == pytest.approx(np.mean(losses), rel=1e-3)


def test_clients_train_a_part_of_what_the_server_pretrained_and_resume_with_all_that_it_knows(
    sources: TrainingSources, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    config, start = small_config("temporal_gap"), tmp_path / "start"
    with pytest.raises(ConfigError, match="expected the settings of a run"):
        pretrain_federated(config, PRIVATE, sources, tmp_path / "none", start=start)
    pretrain_on_server(config, FEDERATION, sources, start)
    pretrain_federated(config, PRIVATE, sources, tmp_path / "whole", start=start)
    before, after = weights_of(start), weights_of(tmp_path / "whole")
    moved = {name for name in before if not name.split("/")[-1].startswith("moving")}
    moved = {name for name in moved if not np.array_equal(before[name], after[name])}
    assert moved == {name for name in before if name.endswith(("_norm/gamma", "_norm/beta"))}
    record = json.loads((tmp_path / "whole" / RECORD_NAME).read_text())
    assert record["n_weights"] == sum(before[name].size for name in moved)

    # Killed between its two files: what is read for resuming has weights and spent privacy of one round.
    with monkeypatch.context() as patch:
        patch.setattr("pretraining.federated.run.write_json", _killed_after(3))
        with pytest.raises(KeyboardInterrupt):
            pretrain_federated(config, PRIVATE, sources, tmp_path / "parts", start=start)
    assert not json.loads((tmp_path / "parts" / RECORD_NAME).read_text())["rounds"]
    pretrain_federated(config, PRIVATE, sources, tmp_path / "parts", start=start)
    assert "resuming after round 1" in caplog.messages
    again = json.loads((tmp_path / "parts" / RECORD_NAME).read_text())
    for row, same in zip(record["rounds"], again["rounds"], strict=True):
        assert row["epsilon"] == same["epsilon"]
        assert row["next_clipping_norm"] == pytest.approx(same["next_clipping_norm"], rel=1e-3)
    resumed = weights_of(tmp_path / "parts")
    assert all(np.allclose(after[name], resumed[name], atol=1e-5) for name in moved)


def test_a_run_that_was_killed_after_its_last_round_tells_of_it(
    sources: TrainingSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config("temporal_gap")
    with monkeypatch.context() as patch:
        patch.setattr("pretraining.federated.run.write_json", _killed_after(4))  # settings, record, round 1, round 2
        with pytest.raises(KeyboardInterrupt):
            pretrain_federated(config, FEDERATION, sources, tmp_path)
    pretrain_federated(config, FEDERATION, sources, tmp_path)
    record = json.loads((tmp_path / RECORD_NAME).read_text())
    assert [row["round"] for row in record["rounds"]] == [1, 2]


def test_a_start_of_another_model_and_names_of_no_weight_are_refused(sources: TrainingSources, tmp_path: Path) -> None:
    config = small_config("temporal_gap")
    pretrain_on_server(small_config("cola"), FEDERATION, sources, tmp_path / "cola")
    with pytest.raises(ConfigError, match="same method"):
        pretrain_federated(config, FEDERATION, sources, tmp_path / "run", start=tmp_path / "cola")
    with pytest.raises(ConfigError, match="no weight's name"):
        pretrain_federated(config, replace(FEDERATION, trained=("nothing",)), sources, tmp_path / "run")


def test_a_server_that_pretrained_on_what_is_now_the_clients_is_refused(
    sources: TrainingSources, tmp_path: Path
) -> None:
    """Neither the noise nor epsilon would cover what its weights know of them."""
    config, start = small_config("temporal_gap"), tmp_path / "start"
    pretrain_on_server(config, FEDERATION, sources, start)
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "music").symlink_to(sources.corpus / "music")
    for changed, federation, given, found in (
        (replace(config, seed=2), FEDERATION, sources, "0.2 of 6 by seed 2"),
        (config, replace(FEDERATION, server_share=0.4), sources, "0.4 of 6 by seed 1"),
        (config, FEDERATION, replace(sources, extra_data=tmp_path / "extra"), "0.2 of 10 by seed 1"),
    ):
        with pytest.raises(ConfigError, match=f"server's share: 0.2 of 6 by seed 1, not {found}"):
            pretrain_federated(changed, federation, given, tmp_path / "run", start=start)
    assert not (tmp_path / "run").exists()


def _killed_after(n_calls: int) -> Callable[[Path, object], None]:
    """Return what writes JSON files until one too many."""
    from nowplaying_core.artifacts import write_json

    done: list[Path] = []

    def write(path: Path, value: object) -> None:
        done.append(path)
        if len(done) == n_calls:
            raise KeyboardInterrupt
        write_json(path, value)

    return write
