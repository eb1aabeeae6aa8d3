"""The committed study of days is the one that the shipped models give."""

import json

import pytest

from evaluation.committed import committed
from evaluation.energy_figures import STUDY
from simulator.days.many import simulate_days
from simulator.days.study import Study
from simulator.days.summary import summarise


def test_the_committed_study_is_of_the_shipped_models() -> None:
    """A new detector or fingerprinter changes the day; then benchmarks/energy.json is made again."""
    stored = committed(STUDY)["summary"]
    study = Study.load(device=stored["device"])
    days = simulate_days("average", study.settings(), stored["n_days"], seed=1)
    fresh = json.loads(json.dumps(summarise(days, study.published, study.modelled)))
    assert fresh.keys() == stored.keys()
    for name in ("n_days", "wakes_per_day", "songs"):
        assert fresh[name] == pytest.approx(stored[name]), name
    for costs in ("published", "modelled"):
        for name in ("mah_per_day", "battery_percent_per_day", "parts_mah"):
            assert fresh[costs][name] == pytest.approx(stored[costs][name]), name
    assert fresh["modelled"]["components_mah"] == pytest.approx(stored["modelled"]["components_mah"])


def test_the_stored_command_names_no_folder_of_a_machine() -> None:
    assert " /" not in committed(STUDY)["provenance"]["command"]
