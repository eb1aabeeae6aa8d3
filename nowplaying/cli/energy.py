"""``nowplaying energy``: what a day costs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nowplaying.cli.options import Json, Seed
from nowplaying.cli.output import emit_json, say, table

__all__ = ["energy"]


def energy(
    device: Annotated[str, typer.Option("--device", help="Shipped profile or a .toml file.")] = "pixel-2",
    day: Annotated[str, typer.Option("--day", help="average, quiet, music or silence.")] = "average",
    days: Annotated[int, typer.Option("--days", min=1, max=10_000_000, help="Days to draw.")] = 10_000,
    seed: Seed = 1,
    report: Annotated[Path | None, typer.Option("--report", help="Also write one HTML page here.")] = None,
    json_output: Json = False,
) -> None:
    """Estimate the energy of a day by drawing many of them; the published wake-up cost is used."""
    import numpy as np

    from nowplaying.errors import ConfigError
    from simulator.day import DAYS, energy_per_day
    from simulator.device import DeviceProfile

    if day not in DAYS:
        message = f"--day: expected one of {', '.join(DAYS)}, found {day!r}"
        raise ConfigError(message)
    profile = DeviceProfile.load(device)
    drawn = energy_per_day(profile, DAYS[day], days, np.random.default_rng(seed))
    if report is not None:
        from simulator.report import write_day_report

        write_day_report(report, drawn)
    result = drawn.to_dict()
    if json_output:
        emit_json("energy/1", result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    say(f"{result['device']}, {result['day']}, {result['n_days']} days drawn")
    low, high = result["mah_per_day_p5_p95"]
    parts = result["parts_mah"]
    table(
        ["part", "mAh a day"],
        [
            ["detector", f"{parts['detector']:.2f}"],
            ["wake-ups for music", f"{parts['wakes_for_music']:.2f}"],
            ["wake-ups for other sound", f"{parts['wakes_for_other_sound']:.2f}"],
            ["total", f"{result['mah_per_day']:.2f}  (5th to 95th percentile of days: {low:.2f} to {high:.2f})"],
        ],
    )
    percent = f"{result['battery_percent_per_day']:.2f} % of the battery a day"
    say(f"{percent}, {result['wakes_per_day']:.1f} wake-ups a day")
