"""Short queries within and beyond their ends: the same queries, kept answers, and a manifest that opens."""

import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.experiments import overhang
from evaluation.retrieval.conditions import Condition
from fingerprinter.fingerprint import Fingerprinter
from ondevice_db.lookup import acceptance_of
from ondevice_db.match.evidence import FEATURES
from tests.changed_models import changed_fingerprinter


@pytest.fixture
def arguments(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(overhang, "_NOISY", (Condition(snr_db=5.0),))  # rooms take a minute
    model = changed_fingerprinter(tmp_path / "model", {"acceptance": None})
    options = {"--model": model, "--corpus": corpus, "--cache-dir": tmp_path / "cache", "--out": tmp_path / "out"}
    options |= {"--seconds": 1.0, "--below": 3.0, "--lengths": 2.1, "--queries": 18, "--sounds": 4}
    return [str(one) for pair in options.items() for one in pair]


def test_short_queries_are_asked_both_ways_and_a_fit_is_entered(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], overhang._ask

    def counted(data, plan, condition, beyond_s, jobs):
        asked.append((plan, condition.name, beyond_s))
        return ask(data, plan, condition, beyond_s, jobs)

    monkeypatch.setattr(overhang, "_ask", counted)
    overhang.main([*arguments, "--enter"])
    for plan in ("known", "masked", "unknown"):
        found = {(name, beyond_s) for one, name, beyond_s in asked if one == plan}
        assert found == {("5 dB, 2.1 s", 0.0), ("5 dB, 2.1 s", 1.0), ("5 dB, 8 s", 0.0), ("clean, 8 s", 0.0)}
    result = json.loads((tmp_path / "out" / "overhang.json").read_text(encoding="utf-8"))
    short, long, clean = result["rows"]
    assert (short["n"], long["n"], clean["n"]) == (18, 9, 9)
    assert long["rank1_difference"]["difference"] == 0
    assert long["rank1_within"] == long["rank1_beyond"] >= 8 / 9
    kept = {
        beyond_s: overhang.Answers.load(tmp_path / "out" / f"known, 5 dB, 2.1 s, {beyond_s:g} s beyond.npz")
        for beyond_s in (0.0, 1.0)
    }
    assert short["rank1_difference"]["difference"] == pytest.approx(
        kept[1.0].is_correct.mean() - kept[0.0].is_correct.mean()
    )
    # One window of 2.048 s within the query; five of the 4.1 s with what is around it.
    column = FEATURES.index("log_fingerprints")
    counts = {beyond_s: set(np.rint(np.exp(one.features[:, column]))) for beyond_s, one in kept.items()}
    assert counts == {0.0: {1.0}, 1.0: {5.0}}
    assert "| 5 dB, 2.1 s | 18 |" in overhang.to_markdown(result)
    entered = Fingerprinter.from_model(tmp_path / "model")
    assert entered.overhang.seconds_for(2.9) == 1.0
    assert entered.overhang.seconds_for(3.0) == 0.0
    assert acceptance_of(entered).n_fitted == kept[0.0].n_searched[0]
    n_asked = len(asked)
    overhang.main(arguments)
    assert len(asked) == n_asked
    assert json.loads((tmp_path / "out" / "overhang.json").read_text(encoding="utf-8")) == result
