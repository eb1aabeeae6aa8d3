"""The work of an answer is that of the windows of its query, and of half as many of the query turned round."""

from pathlib import Path

import pytest

from simulator.energy.work import DatabaseSize, Models, work_of_answer
from tests.changed_models import changed_fingerprinter


@pytest.mark.parametrize(
    ("entries", "n", "n_windows"),
    [
        ({}, 12, 18),
        ({"query_overhang_s": 0.5, "query_overhang_below_s": 8.0}, 12, 18),  # eight seconds have none
        ({"query_overhang_s": 0.5}, 14, 21),
    ],
)
def test_windows_beyond_a_query_s_ends_cost_what_others_cost(
    tmp_path: Path, entries: dict[str, float], n: int, n_windows: int
) -> None:
    models = Models.load(fingerprinter=changed_fingerprinter(tmp_path / "model", entries))
    assert (models.n_fingerprints, models.n_windows) == (n, n_windows)
    assert work_of_answer(models, DatabaseSize()).encoder_macs == n_windows * models.encoder_macs
