"""Ranges of settings: the error names the setting and what was found."""

import json
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

import pytest

from nowplaying_core.errors import ConfigError, MissingPathError
from nowplaying_core.settings import (
    RunSettings,
    check_given,
    require_counts,
    require_not_negative,
    require_positive,
    weights_id,
)


def settings(value: object) -> Any:
    return make_dataclass("Some", ["rate"])(value)


@pytest.mark.parametrize("value", [0, -1, 0.0])
def test_what_is_not_positive_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^rate must be positive, found"):
        require_positive(settings(value), "rate")
    with pytest.raises(ConfigError, match=r"^encoder: rate must be positive, found"):
        require_positive(settings(value), "rate", table="encoder")
    require_positive(settings(1e-9), "rate")


@pytest.mark.parametrize("value", [0, -1, 0.5, 1.5, (), (1, 0), (2, -1), (0.5,)])
def test_what_counts_nothing_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^encoder: rate must be positive and whole, found"):
        require_counts(settings(value), "rate", table="encoder")


@pytest.mark.parametrize("value", [1, (1,), (3, 2)])
def test_counts_are_taken(value: object) -> None:
    require_counts(settings(value), "rate")


def test_zero_is_not_negative() -> None:
    require_not_negative(settings(0), "rate")
    with pytest.raises(ConfigError, match=r"rate must not be negative, found -0\.5"):
        require_not_negative(settings(-0.5), "rate")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    rate: float = 0.5
    widths: tuple[int, ...] = (1, 2)
    limit: float | None = None
    range_db: tuple[float, float] = (0.0, 1.0)
    kept: bool = True
    name: str = "one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outer(RunSettings):
    n_steps: int = 3
    inner: Inner = field(default_factory=lambda: Inner(rate=0.25))


def test_tables_are_changes_to_their_default() -> None:
    assert Outer.from_dict({}) == Outer()
    changed = Outer.from_dict({"n_steps": 4, "inner": {"widths": [3], "limit": 2}})
    assert changed == Outer(n_steps=4, inner=Inner(rate=0.25, widths=(3,), limit=2.0))
    assert Outer.from_dict(json.loads(json.dumps(changed.to_dict()))) == changed
    assert Outer.from_dict({"inner": {"limit": None}}).inner.limit is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inner": 3}, r"inner: expected a table, found 3"),
        ({"inner": {"limit": "low"}}, r"limit must be a number of type float, found 'low'"),
        ({"inner": {"rate": None}}, r"rate must be a number of type float, found None"),
        ({"inner": {"rates": 1.0}}, r"unknown settings \['rates'\]: expected some of \['kept', 'limit', "),
        ({"inner": {"rate": float("nan")}}, r"rate must be a number of type float, found nan"),
        ({"inner": {"widths": 3}}, r"widths must be a list, found 3"),
        ({"inner": {"widths": ["a"]}}, r"widths must be a number of type int, found 'a'"),
        ({"inner": {"range_db": [1.0]}}, r"range_db must be a list of 2, found \[1\.0\]"),
        ({"inner": {"kept": "no"}}, r"kept must be true or false, found 'no'"),
        ({"inner": {"name": 3}}, r"name must be a text, found 3"),
        ({"n_steps": 1.5}, r"n_steps must be a number of type int, found 1\.5"),
        ({"n_steps": True}, r"n_steps must be a number of type int, found True"),
    ],
)
def test_wrong_settings_are_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Outer.from_dict(values)


def test_a_run_goes_on_with_what_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"1")
    given = {"teacher": weights_id(tmp_path / "weights"), "music": 3}
    check_given(tmp_path, {"teacher": None, "music": 4}, begun=False)
    check_given(tmp_path, given, begun=False)  # nothing has been learned yet
    check_given(tmp_path, given, begun=True)
    with pytest.raises(ConfigError, match=r"was given music: 3, not 2; give it the same"):
        check_given(tmp_path, {**given, "music": 2}, begun=True)
    with pytest.raises(ConfigError, match=r"was given teacher: [0-9a-f]{16}, not none"):
        check_given(tmp_path, {**given, "teacher": weights_id(None)}, begun=True)
    (tmp_path / "init.json").write_text('{"music": 3}')  # of an earlier version
    check_given(tmp_path, given, begun=True)
    with pytest.raises(MissingPathError, match=r"gone: expected the weights of a finished run"):
        weights_id(tmp_path / "gone")
