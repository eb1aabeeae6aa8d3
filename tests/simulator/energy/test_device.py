"""Device profiles: every figure has a source and a sound range, and a broken file is refused with the reason."""

from pathlib import Path

import pytest

from nowplaying_core.errors import ConfigError
from simulator.energy import device
from simulator.energy.always_on import load_always_on
from simulator.energy.device import DeviceProfile
from simulator.energy.figures import device_figure

PIXEL_2 = (Path(device.__file__).parent / "devices" / "pixel-2.toml").read_text(encoding="utf-8")


def test_charge_and_energy_agree() -> None:
    profile = DeviceProfile.load("pixel-2")
    # One hour at 1 mA is 1 mAh.
    assert profile.mah(profile.milliwatts(1.0) * 3600.0) == pytest.approx(1.0)
    assert profile.battery_percent(profile.milliwatts(2700.0) * 3600.0) == pytest.approx(100.0)


def test_a_bigger_network_listens_at_a_higher_power_and_none_at_the_microphones() -> None:
    profile = DeviceProfile.load("pixel-2")
    assert profile.listening_mw() == pytest.approx(1.6)
    assert profile.listening_mw(profile.dsp.reference_macs_per_s) == pytest.approx(1.6)
    # A million multiply-accumulates a second more, at 150 pJ each.
    assert profile.listening_mw(1_115_000) == pytest.approx(1.6 + 0.15)
    tiny = profile.with_constant("dsp.pj_per_mac", 1e6)
    assert tiny.listening_mw(0) == pytest.approx(profile.milliwatts(0.16))


def test_one_figure_can_be_changed() -> None:
    profile = DeviceProfile.load("pixel-2")
    assert profile.with_constant("dsp.detector_ma", 0.2).dsp.detector_ma == 0.2
    changed = profile.with_constant("radio.lte.tail_s", 0.0)
    assert changed.radios["lte"].tail_s == 0
    assert changed.constants["radio.lte.tail_s"].value == 0
    assert profile.radios["lte"].tail_s > 0
    for name, value, reason in (
        ("dsp.nothing", 1.0, "expected one of"),
        ("dsp.detector_ma", -1.0, "from 0 to 500 mA"),
        ("dsp.detector_ma", float("nan"), "from 0 to 500 mA"),
        ("battery.voltage_v", 400.0, "from 0.8 to 15 V"),
    ):
        with pytest.raises(ConfigError, match=reason):
            profile.with_constant(name, value)


def test_every_figure_of_every_profile_has_a_name_and_a_range() -> None:
    for name in device.device_names():
        for key, constant in DeviceProfile.load(name).constants.items():
            figure = device_figure(key)
            assert len(figure.title) > 8
            assert figure.least <= constant.low <= constant.high <= figure.most


def test_other_always_on_hardware_has_sources_and_an_order() -> None:
    profile = DeviceProfile.load("pixel-2")
    power_mw = {one.title: one.power_mw(profile) for one in load_always_on()}
    assert power_mw["audio DSP of the published system"].value == pytest.approx(1.6)
    assert all(len(one.source) > 20 and one.low < one.value < one.high for one in power_mw.values())
    # Whatever computes, a microphone of 0.12 mA at 4 V remains; a clock that never stops costs most.
    assert min(one.low for one in power_mw.values()) == pytest.approx(0.48 + 0.017)
    assert max(one.high for one in power_mw.values()) == pytest.approx(2.9 * 4)


@pytest.mark.parametrize(
    ("found", "changed", "reason"),
    [
        ("capacity_mah = { value = 2700.0", "capacity_mah = { value = -1.0", "low <= value"),
        ("low = 0.2, high = 0.6", "low = 0.5, high = 0.6", "low <= value"),
        ("capacity_mah", "capacity_ah", "expected the figures"),
        ("schema_version = 3", "schema_version = 9", "schema_version 3"),
        ('title = "Google Pixel 2"', "", "expected the keys"),
        ("value = 2700.0", "value = true", "expected numbers"),
        ("value = 2700.0", "value = 0.0", "from 1 to 100000 mAh"),
        ("value = 4.0", "value = 400.0", "from 0.8 to 15 V, found 400 V"),
        ("value = 0.4, low = 0.2, high = 0.6", "value = 0.4, low = 0.2, high = 600", "from 0 to 500 mA"),
        ('source = "rate of an upload in a town"', "note = 1", "expected"),
        ('source = "rate of an upload in a town"', 'source = " "', "without a source"),
        ('certainty = "A", source = "rate of an upload in a town"', 'source = "x"', "expected a certainty"),
        ('certainty = "A", source = "rate of an upload in a town"', 'certainty = ["A"], source = "x"', "a certainty"),
        ("[battery]", "[battery", "in TOML"),
    ],
)
def test_refuses_a_broken_profile(tmp_path: Path, found: str, changed: str, reason: str) -> None:
    assert found in PIXEL_2
    path = tmp_path / "broken.toml"
    path.write_text(PIXEL_2.replace(found, changed), encoding="utf-8")
    with pytest.raises(ConfigError, match=reason) as caught:
        DeviceProfile.load(path)
    assert "broken.toml" in str(caught.value)


def test_refuses_a_radio_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("radio = 3\n" + PIXEL_2.partition("[radio")[0], encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.toml: expected tables \[radio"):
        DeviceProfile.load(path)


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match="pixel-2"):
        DeviceProfile.load("no-such-phone")
