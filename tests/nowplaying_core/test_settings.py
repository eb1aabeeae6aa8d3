"""Ranges of settings: the error names the setting and what was found."""

from dataclasses import make_dataclass
from typing import Any

import pytest

from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_counts, require_not_negative, require_positive


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
