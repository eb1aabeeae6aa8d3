"""Scenes, scenarios and assumptions: complete, and refused with a reason where they are not."""

from dataclasses import fields
from pathlib import Path

import pytest

from nowplaying_core.errors import ConfigError
from simulator.days import scenes
from simulator.days.scenes import SOUNDS, Assumptions, load_assumptions, load_scenarios, load_scenes

WANTED = {"office-worker", "commuter", "cafe-worker", "music-fan", "night-shift", "quiet-home", "silence"}


def test_the_scenarios_are_there_and_share_the_average_day() -> None:
    scenarios = load_scenarios()
    assert set(scenarios) == WANTED
    assert sum(one.share for one in scenarios.values()) == pytest.approx(1)
    used = {name for one in scenarios.values() for block in one.blocks for name in block.weights}
    assert used == set(load_scenes())
    assert {scene.sound for scene in load_scenes().values()} == set(SOUNDS)


def test_every_assumption_has_a_range_and_a_reason() -> None:
    assumptions = load_assumptions()
    assert {one.name for one in fields(Assumptions)} - {"constants"} == set(assumptions.constants)
    for name, constant in assumptions.constants.items():
        assert constant.has_range, name
        assert getattr(assumptions, name) == constant.value


def test_one_assumption_can_be_changed() -> None:
    changed = load_assumptions().with_value("known_share", 0.1)
    assert changed.known_share == changed.constants["known_share"].value == 0.1
    assert load_assumptions().known_share != 0.1
    with pytest.raises(ConfigError, match="expected one of"):
        load_assumptions().with_value("nothing", 1.0)


@pytest.mark.parametrize(
    ("file", "found", "changed"),
    [
        ("scenes.toml", 'sound = "speech"', 'sound = "birdsong"'),
        ("scenes.toml", "dwell_min = 90", "dwell_min = 0"),
        ("scenes.toml", "music_share = 0.6", "music_share = 1.6"),
        ("scenes.toml", "level_db = 28\n", ""),
        ("scenes.toml", "schema_version = 1", "schema_version = 2"),
        ("assumptions.toml", "saver_percent", "saver_share"),
        ("scenarios/commuter.toml", "transit = 4", "balloon = 4"),
        ("scenarios/commuter.toml", "start_h = 17\n", "start_h = 1\n"),
        ("scenarios/commuter.toml", "share = 0.2", "share = 0.9"),
    ],
)
def test_a_damaged_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, found: str, changed: str
) -> None:
    folder = Path(scenes.__file__).parent
    for path in [*folder.glob("*.toml"), *folder.glob("scenarios/*.toml")]:
        copy = tmp_path / path.relative_to(folder)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    damaged = tmp_path / file
    assert found in damaged.read_text(encoding="utf-8")
    damaged.write_text(damaged.read_text(encoding="utf-8").replace(found, changed, 1), encoding="utf-8")
    loaders = (load_scenes, load_scenarios, load_assumptions)
    monkeypatch.setattr(scenes, "_FOLDER", tmp_path)
    for load in loaders:
        load.cache_clear()
    try:
        with pytest.raises(ConfigError, match="expected"):
            [load() for load in loaders]
    finally:
        for load in loaders:
            load.cache_clear()
