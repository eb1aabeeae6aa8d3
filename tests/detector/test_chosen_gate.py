"""A chosen gate as a person writes it, and as a cross-validation does."""

import json
from pathlib import Path

import pytest

from detector.chosen_gate import ChosenGate, read_chosen_gate
from detector.gate import GateConfig
from nowplaying_core.artifacts import SHIPPED_DETECTOR
from nowplaying_core.errors import CorruptArtifactError, MissingPathError
from nowplaying_core.manifest import ModelFolder

GATE = GateConfig(window=3, enter_threshold=0.75, leave_threshold=0.5, consecutive_hits=3, silence_dbfs=-70.0)


def toml(gate: GateConfig) -> str:
    return "[gate]\n" + "".join(f"{name} = {value}\n" for name, value in gate.to_dict().items() if value is not None)


@pytest.mark.parametrize("silence_dbfs", [-70.0, None])
def test_a_gate_of_a_persons_file_is_read(tmp_path: Path, silence_dbfs: float | None) -> None:
    gate = GateConfig(silence_dbfs=silence_dbfs)
    path = tmp_path / "gate.toml"
    path.write_text(f"wanted_above = 96\n{toml(gate)}", encoding="utf-8")
    assert read_chosen_gate(path) == ChosenGate(gate=gate, wanted_above=96)


def test_a_gate_is_found_among_other_results(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"schema": "x", "gate": GATE.to_dict(), "streams": {}}), encoding="utf-8")
    assert read_chosen_gate(path) == ChosenGate(gate=GATE)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.json", ""),
        ("r.json", "[]"),
        ("r.json", '{"gate": {"window": 3}}'),
        ("r.json", '{"gate": null}'),
        ("r.json", json.dumps({"gate": GATE.to_dict(), "wanted_above": "64"})),
        ("r.toml", "gate = 3"),
        ("r.toml", "[gate]\nwindow = 3"),
        ("r.toml", toml(GATE) + "windows = 3"),
        ("r.toml", f"wanted_above = true\n{toml(GATE)}"),
    ],
)
def test_what_holds_no_gate_is_refused_by_name(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(CorruptArtifactError, match=rf"{name}: expected a table gate"):
        read_chosen_gate(tmp_path / name)


@pytest.mark.parametrize("name", ["none.toml", "none.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingPathError, match=rf"{name}: expected a table gate.*no such file$"):
        read_chosen_gate(tmp_path / name)


def test_the_committed_gate_is_that_of_the_shipped_detector() -> None:
    chosen = read_chosen_gate(Path(__file__).parents[2] / "configs/detector-gate.toml")
    manifest = ModelFolder.open(SHIPPED_DETECTOR, role="detector").manifest
    assert chosen.gate.to_dict() == manifest["gate"]
    assert chosen.wanted_above == manifest["cascade"]["wanted_above"]
