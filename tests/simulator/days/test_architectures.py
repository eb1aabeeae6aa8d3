"""Architectures are priced by what they run."""

from dataclasses import replace

import pytest

from detector.gate import GateConfig
from simulator.days.architectures import architectures_for
from simulator.energy.costs import CostModel
from simulator.energy.usage import Usage
from simulator.energy.work import DatabaseSize
from simulator.phone.config import PhoneConfig
from simulator.phone.events import State
from tests.simulator.bench import MODELS, build_costs

_, ONE_STAGE = build_costs()
TWO_STAGES = CostModel.modelled(ONE_STAGE.device, replace(MODELS, second_stage_macs=6e6), DatabaseSize(n_songs=1000))


def test_a_second_stage_alone_is_priced_for_each_output_where_it_sounds() -> None:
    assert "second-stage-alone" not in architectures_for(ONE_STAGE)
    alone = architectures_for(TWO_STAGES)["second-stage-alone"].costs
    usage = Usage(
        duration_s={State.LISTENING: 6400.0}, wakes={}, recorded_s={}, quiet_s=3200.0, n_second_stage_runs=123.0
    )
    rest_mw = TWO_STAGES.total_listening_mw - TWO_STAGES.listening_mw["detector network"]
    # Every 0.64 s of the half in which something sounds, and whatever a first stage would have asked for.
    assert usage.total_mj(alone) == pytest.approx(6400 * rest_mw + 5000 * TWO_STAGES.second_stage_mj)
    assert usage.total_mj(alone) > usage.total_mj(TWO_STAGES)


def test_no_two_architectures_share_a_name_or_title() -> None:
    found = architectures_for(TWO_STAGES)
    assert len({one.title for one in found.values()}) == len(found)
    assert next(iter(found)) == "baseline"


def test_a_server_and_a_clock_look_once() -> None:
    config = PhoneConfig(gate=GateConfig(), early_looks_s=(3.0, 5.0))
    found = {name: one.configured(config).early_looks_s for name, one in architectures_for(ONE_STAGE).items()}
    assert found["baseline"] == found["second-look"] == (3.0, 5.0)
    assert {found[name] for name in ("server-lte", "every-minute", "always-on")} == {()}
