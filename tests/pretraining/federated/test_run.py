"""What a federated run refuses before its first round, and its rates."""

from dataclasses import replace
from pathlib import Path

import pytest

keras = pytest.importorskip("keras", reason="needs the train extra")

from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, MissingExtraError
from pretraining.federated.run import local_rate, pretrain_federated, pretrain_on_server
from tests.pretraining.federated.federation import FEDERATION
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


@pytest.mark.parametrize("method", ["supervised", "random", "kmeans_codes", "vq_codes", "binary_codes"])
def test_methods_that_learn_more_than_what_clients_send_have_none(
    sources: TrainingSources, tmp_path: Path, method: str
) -> None:
    for pretrain in (pretrain_federated, pretrain_on_server):
        with pytest.raises(ConfigError, match="expected one that clients can learn by"):
            pretrain(small_config(method), FEDERATION, sources, tmp_path)


def test_without_flower_the_extra_is_named(
    sources: TrainingSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith("pretraining.federated.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "flwr.app", None)
    with pytest.raises(MissingExtraError, match=r"nowplaying-ondevice\[federated\]"):
        pretrain_federated(small_config("cola"), FEDERATION, sources, tmp_path)
    assert not list(tmp_path.iterdir()), "nothing is begun"


def test_a_servers_run_goes_on_with_the_servers_recordings(sources: TrainingSources, tmp_path: Path) -> None:
    pretrain_on_server(small_config("cola"), FEDERATION, sources, tmp_path)
    with pytest.raises(ConfigError, match=r"server's share: 0.2 of 6 by seed 1, not 0.4 of 6 by seed 1"):
        pretrain_on_server(small_config("cola"), replace(FEDERATION, server_share=0.4), sources, tmp_path)


def test_the_rate_falls_by_half_a_cosine_or_stays() -> None:
    falling = replace(FEDERATION, n_rounds=3, local_rate=2.0, final_rate_share=0.1)
    assert [local_rate(falling, number) for number in (1, 2, 3)] == pytest.approx([2.0, 1.1, 0.2])
    assert local_rate(replace(falling, final_rate_share=1.0), 3) == 2.0
    assert local_rate(replace(falling, n_rounds=1), 1) == 2.0
