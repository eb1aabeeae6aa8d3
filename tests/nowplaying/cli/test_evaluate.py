"""What ``evaluate`` refuses; that it measures is tested with the evaluation itself."""

from pathlib import Path

import pytest

from detector.chosen_gate import read_chosen_gate
from detector.training.folds import HeldOut
from evaluation.detector import gate_streams
from tests.evaluation.detector.test_gate_choice import two_stages

from .conftest import Run


@pytest.mark.parametrize("protocol", [(), ("--protocol", "nafp"), ("--protocol", "now-playing")])
def test_a_folder_that_is_no_corpus_is_named(run: Run, tmp_path: Path, protocol: tuple[str, ...]) -> None:
    done = run("evaluate", "retrieval", "--corpus", tmp_path / "none", "--cache-dir", tmp_path / "cache", *protocol)
    assert done.code == 3
    assert str(tmp_path / "none") in done.err


@pytest.mark.parametrize(
    ("command", "options", "refused"),
    [
        ("retrieval", ("--protocol", "now-playing", "--metrics"), "--metrics"),
        ("retrieval", ("--protocol", "now-playing", "--exact"), "--exact"),
        ("retrieval", ("--protocol", "now-playing", "--sounds", "500"), "--sounds"),
        ("retrieval", ("--protocol", "nafp", "--fit-acceptance"), "--fit-acceptance"),
        ("retrieval", ("--protocol", "nafp", "--float-model", "elsewhere"), "--float-model"),
        ("retrieval", ("--protocol", "nafp", "--hop", "0.5"), "--hop"),
        ("retrieval", ("--protocol", "nafp", "--unknown", "900"), "--unknown"),
        ("retrieval", ("--exact",), "--exact"),
        ("retrieval", ("--baseline", "elsewhere"), "--baseline"),
        ("retrieval", ("--hop", "0"), "--hop"),
        ("detector", ("--max-false-per-hour", "1"), "--max-false-per-hour"),
        ("detector-gate", ("--held-out-of", "8"), "--held-out-of"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(
    run: Run, tmp_path: Path, command: str, options: tuple[str, ...], refused: str
) -> None:
    done = run("evaluate", command, "--corpus", tmp_path, "--cache-dir", tmp_path, *options)
    assert done.code == 2
    assert "Invalid value" in done.err
    assert refused in done.err


def test_an_unknown_protocol_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("evaluate", "retrieval", "--corpus", tmp_path, "--cache-dir", tmp_path, "--protocol", "other")
    assert done.code == 2
    assert "attention-qbe" in done.err


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that are there already."""
    streams = gate_streams.GateStreams(
        train=[two_stages(0)], dev=[two_stages(1)], held_out=HeldOut(fold=3, n_folds=8), is_recorded=False
    )
    monkeypatch.setattr(gate_streams, "run_gate_streams", lambda *_, **__: streams)


@pytest.mark.usefixtures("composed")
def test_a_chosen_gate_is_shown_and_written_as_publish_reads_it(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    places = ("--corpus", tmp_path, "--cache-dir", tmp_path, "--out", tmp_path / "out", "--wanted-above", "64")
    done = run("evaluate", "detector-gate", *places, "--max-false-per-hour", "12", "--max-median-delay", "8")
    assert done.code == 0
    assert "| both, with rests | 2 |" in done.out
    chosen = read_chosen_gate(tmp_path / "out" / "detector-gate.toml")
    assert chosen == read_chosen_gate(tmp_path / "out" / "detector-gate.json")
    assert chosen.wanted_above == 64
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".toml", ".json", ".md", ".png"}


@pytest.mark.usefixtures("composed")
def test_where_no_gate_keeps_the_limits_nothing_is_written(run: Run, tmp_path: Path) -> None:
    places = ("--corpus", tmp_path, "--cache-dir", tmp_path, "--out", tmp_path / "out", "--wanted-above", "64")
    done = run("evaluate", "detector-gate", *places, "--max-median-delay", "0.2")
    assert done.code == 2
    assert "found none among 1728" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "does not record which sources of train it left out"),
        (("--held-out-fold", "8"), "found 8 of 8"),
        (("--held-out-fold", "3", "--max-median-delay", "0"), "max_median_delay_s"),
        (("--held-out-fold", "3", "--max-false-per-hour", "-1"), "max_false_per_hour"),
        (("--held-out-fold", "3", "--wanted-above", "257"), "--wanted-above"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused_with_what_to_do(
    run: Run, tmp_path: Path, options: tuple[str, ...], expected: str
) -> None:
    done = run("evaluate", "detector-gate", "--corpus", tmp_path, "--cache-dir", tmp_path, *options)
    assert done.code == 2
    assert expected in " ".join(done.err.split())
