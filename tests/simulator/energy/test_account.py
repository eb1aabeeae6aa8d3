"""The account for the app: as the command writes it, and as the profiles have it."""

import json
from pathlib import Path

import pytest

from simulator.energy.account import OTHER_PHONES, app_account
from simulator.energy.device import DeviceProfile
from simulator.energy.work import DatabaseSize, Models

_COMMITTED = Path(__file__).parents[3] / "android_demo" / "app" / "src" / "main" / "assets" / "energy.json"


def test_the_app_has_what_the_command_writes() -> None:
    assert json.loads(_COMMITTED.read_text()) == app_account(Models.load(), DatabaseSize()), (
        f"run: nowplaying energy account --out {_COMMITTED.name}"
    )


def test_recording_and_battery_follow_from_the_profile() -> None:
    for entry in app_account(Models.load(), DatabaseSize())["devices"]:
        device = DeviceProfile.load(entry["name"])
        current_ma = device.processor.active_ma + device.processor.recording_ma
        assert entry["recording_mw"]["value"] == pytest.approx(device.battery.voltage_v * current_ma, rel=1e-3)
        assert entry["battery_j"] == pytest.approx(
            3.6 * device.battery.capacity_mah * device.battery.voltage_v, rel=1e-4
        )
        for cost in ("recording_mw", "answer_j"):
            assert 0 < entry[cost]["low"] < entry[cost]["value"] < entry[cost]["high"]


def test_a_bigger_database_makes_answers_dearer_and_nothing_else() -> None:
    small, big = (app_account(Models.load(), DatabaseSize(n_songs=n)) for n in (1_000, 200_000))
    for one, other in zip(small["devices"], big["devices"], strict=True):
        assert one["answer_j"]["value"] < other["answer_j"]["value"]
        assert one["recording_mw"] == other["recording_mw"]
    assert OTHER_PHONES in {one["name"] for one in small["devices"]}
