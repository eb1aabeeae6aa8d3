"""A chart along one axis shows the runs that differ from the first one along it alone."""

import pytest

pytest.importorskip("keras", reason="needs the train extra")

from evaluation.experiments.capacity_plot import points


def result(n_steps: int, n_macs: int, count: int) -> dict:
    return {"n_steps": n_steps, "n_macs": n_macs, "rank1": {"5 dB, 2 s": {"n": 100, "count": count}}}


def test_points_ascend_and_leave_out_what_differs_along_the_other_axis() -> None:
    results = {
        "first": result(1000, 30, 80),
        "longer": result(2000, 30, 85),
        "shorter": result(500, 30, 70),
        "wider": result(1000, 66, 83),
    }
    assert points(results, "n_steps") == {"5 dB, 2 s": [(500, 70, 100), (1000, 80, 100), (2000, 85, 100)]}
    assert points(results, "n_macs") == {"5 dB, 2 s": [(30, 80, 100), (66, 83, 100)]}
