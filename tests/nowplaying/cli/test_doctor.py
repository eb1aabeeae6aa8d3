"""``nowplaying doctor``."""

import pytest

from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

from .conftest import Run


def test_doctor_is_content_with_this_installation(run: Run) -> None:
    done = run("doctor", "--json")
    checks = {record["name"]: record["status"] for record in done.records}
    assert done.code == 0
    assert "failed" not in checks.values()
    assert {"nowplaying", "runtime", SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER, "annoy index"} <= set(checks)


def test_doctor_reports_a_missing_runtime(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from nowplaying_core import runtime

    monkeypatch.setattr(runtime, "installed_runtimes", list)
    done = run("doctor")
    assert done.code == 5
    assert "FAILED  runtime" in done.out
