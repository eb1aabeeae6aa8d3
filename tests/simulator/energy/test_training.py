import pytest

from simulator.energy.device import DeviceProfile
from simulator.energy.radio import request_j
from simulator.energy.training import round_mj


def test_a_round_is_computing_and_sending() -> None:
    device = DeviceProfile.load("pixel-3")
    work = {"forward_macs": 1e9, "front_end_ops": 4e9, "n_bytes": 1e6}
    parts = round_mj(device, "wifi", **work)
    # Ten thousand million operations at the profile's rate.
    seconds = 10 / device.processor.float_gops_per_s
    assert parts["training"] == pytest.approx(1000 * device.core_w * seconds)
    assert parts["radio"] == pytest.approx(1000 * request_j(device.radios["wifi"], 1e6))


def test_more_work_and_more_bytes_cost_more_and_lte_more_than_wifi() -> None:
    device = DeviceProfile.load("pixel-3")
    work = {"forward_macs": 1e9, "front_end_ops": 4e9, "n_bytes": 1e6}
    parts = round_mj(device, "wifi", **work)
    more = round_mj(device, "wifi", **{name: 2 * value for name, value in work.items()})
    assert more["training"] == pytest.approx(2 * parts["training"])
    assert parts["radio"] < more["radio"] < 2 * parts["radio"], "promotion and tail are paid once"
    assert round_mj(device, "lte", **work)["radio"] > parts["radio"]
    with pytest.raises(KeyError):
        round_mj(device, "pigeon", **work)
