"""Device profiles: every figure has a source and a sound range."""

from pathlib import Path

import pytest

from nowplaying.errors import ConfigError
from simulator import device
from simulator.device import DeviceProfile, device_names

PIXEL_2 = (Path(device.__file__).parent / "devices" / "pixel-2.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", device_names())
def test_shipped_profiles_load_with_sources(name: str) -> None:
    profile = DeviceProfile.load(name)
    assert profile.name == name
    assert all(len(one.source) > 9 and one.low <= one.value <= one.high for one in profile.constants.values())
    assert profile.dsp.detector_ma == profile.constants["dsp.detector_ma"].value


def test_charge_and_energy_agree() -> None:
    profile = DeviceProfile.load("pixel-2")
    # One hour at 1 mA is 1 mAh.
    assert profile.mah(profile.milliwatts(1.0) * 3600.0) == pytest.approx(1.0)
    assert profile.battery_percent(profile.milliwatts(2700.0) * 3600.0) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("found", "changed", "reason"),
    [
        ("capacity_mah = { value = 2700.0", "capacity_mah = { value = -1.0", "low <= value"),
        ("low = 0.2, high = 0.6", "low = 0.5, high = 0.6", "low <= value"),
        ("capacity_mah", "capacity_ah", "expected the figures"),
        ("schema_version = 1", "schema_version = 9", "schema_version 1"),
        ('title = "Google Pixel 2"', "", "expected the keys"),
        ("value = 2700.0", "value = true", "expected numbers"),
        ("value = 2700.0", "value = 0.0", "above 0"),
        ('source = "assumption" }', "note = 1 }", "expected"),
        ('source = "assumption" }', 'source = " " }', "without a source"),
        ("[battery]", "[battery", "in TOML"),
    ],
)
def test_refuses_a_broken_profile(tmp_path: Path, found: str, changed: str, reason: str) -> None:
    assert found in PIXEL_2
    path = tmp_path / "broken.toml"
    path.write_text(PIXEL_2.replace(found, changed), encoding="utf-8")
    with pytest.raises(ConfigError, match=reason):
        DeviceProfile.load(path)


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(ConfigError, match="pixel-2"):
        DeviceProfile.load("no-such-phone")
