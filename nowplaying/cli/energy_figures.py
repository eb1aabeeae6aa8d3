"""``nowplaying energy``: the figures behind it, of devices and their detectors, measured ones among them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nowplaying.cli.options import DetectorModel, Device, FingerprinterModel, Jobs, Json, Seed, writable_file
from nowplaying.cli.output import emit_json, note, paragraph, progress_bar, say, table, wrote
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.errors import ConfigError

__all__ = ["account", "calibrate", "current", "devices", "figures"]


def devices(as_json: Json = False) -> None:
    """List the device profiles with the sources of their figures."""
    from simulator.energy.device import DeviceProfile, device_names

    for name in device_names():
        device = DeviceProfile.load(name)
        if as_json:
            figures = {key: asdict(one) for key, one in device.constants.items()}
            emit_json("device/1", {"name": name, "title": device.title, "figures": figures})
            continue
        n_measured = sum(one.certainty in {"V", "R"} for one in device.constants.values())
        wake = device.published
        say(f"{name}: {device.title}")
        paragraph(
            f"  {device.battery.capacity_mah:g} mAh at {device.battery.voltage_v:g} V; {n_measured} of "
            f"{len(device.constants)} figures read in their source, the others derived or assumed; published energy of "
            f"a wake-up: {'none' if wake is None else f'{wake.wake_j:g} J'}",
            indent=2,
        )
        for source in dict.fromkeys(one.source for one in device.constants.values() if one.certainty in {"V", "R"}):
            paragraph(f"  - {source}", indent=4)


def figures(device: Device = "pixel-2", as_json: Json = False) -> None:
    """List every figure that --set, a study file and a sweep may name, with value, unit and range."""
    from simulator.days.figures import STUDY_FIGURES, figure_of
    from simulator.days.study import Study

    study = Study.load(device=device)
    constants = dict(study.device.constants)
    constants |= {f"days.{name}": one for name, one in study.assumptions.constants.items()}
    values = study.values()
    rows = []
    for name in dict.fromkeys([*constants, *STUDY_FIGURES]):
        if name.startswith("published."):
            continue
        one, figure = constants.get(name), figure_of(name)
        value = values.get(name) if one is None else one.value
        if as_json:
            facts = {"unit": figure.unit, "least": figure.least, "most": figure.most, "title": figure.title}
            emit_json("figure/1", {"name": name, "value": value, **facts})
            continue
        ends = f"{figure.least:g} to {figure.most:g}"
        rows.append([name, "" if value is None else f"{value:g}", figure.unit, ends, figure.title])
    if rows:
        table(["name", "value", "unit", "may be", "meaning"], rows)


def current(
    device: Device = "pixel-2",
    days: Annotated[int, typer.Option("--days", min=7, max=1_000_000, help="Average days to simulate.")] = 70,
    seed: Seed = 1,
    jobs: Jobs = 1,
    detector: DetectorModel = SHIPPED_DETECTOR,
    as_json: Json = False,
) -> None:
    """Show the always-on detector's current, microphone included: on average, in music, other sound and quiet."""
    from simulator.days.study import Study
    from simulator.energy.detector_current import current_table, detector_currents

    study = Study.load(device=device, detector=detector)
    with progress_bar("days", days) as advance:
        simulated = study.simulate("average", days, seed=seed, jobs=jobs, progress=advance)
    listened_s = simulated.mean(lambda record: record.usage.listened_s)
    runs = simulated.mean(lambda record: record.usage.n_second_stage_runs)
    by_kind = {kind: one.value for kind, one in study.rates.second_stage_per_h.items()}
    currents = detector_currents(study.device, study.models, 3600 * runs / listened_s, by_kind)
    if not as_json:
        table(*current_table(currents))
        return
    for kind, found in currents.items():
        emit_json("detector-current/1", {"kind": kind, **asdict(found), "total_ma": found.total_ma})


def account(
    out: Annotated[Path, typer.Option("--out", metavar="FILE.json", help="File to write.", callback=writable_file)],
    songs: Annotated[int, typer.Option("--songs", min=0, max=10_000_000, help="Songs in the database.")] = 10_000,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Write what an app needs to estimate its own share of the battery: each phone's costs with their ranges."""
    from nowplaying_core.artifacts import write_json
    from simulator.energy.account import app_account
    from simulator.energy.work import DatabaseSize, Models

    write_json(out, app_account(Models.load(detector, fingerprinter), DatabaseSize(n_songs=songs)))
    wrote(out, f"account written to {out}", as_json=as_json)


def calibrate(
    asleep: Annotated[Path, typer.Option("--asleep", metavar="A.csv", help="The device without the recognizer.")],
    listening: Annotated[Path, typer.Option("--listening", metavar="B.csv", help="The detector on, in a quiet room.")],
    answering: Annotated[Path, typer.Option("--answering", metavar="C.csv", help="The detector on, with wake-ups.")],
    n_answers: Annotated[int, typer.Option("--answers", min=1, help="Wake-ups in C.csv.")],
    voltage_v: Annotated[float, typer.Option("--voltage", help="Volts that the meter supplied.")],
    out: Annotated[Path, typer.Option("--out", metavar="MINE.toml", help="Profile to write.", callback=writable_file)],
    device: Device = "pixel-2",
    title: Annotated[str, typer.Option("--title", help="Name of the device for readers.")] = "My device",
    songs: Annotated[int, typer.Option("--songs", min=0, max=10_000_000, help="Songs in its database.")] = 10_000,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Turn currents that a power meter traced (CSV) into a device profile."""
    from nowplaying_core.artifacts import write_text
    from simulator.energy.device import DeviceProfile
    from simulator.energy.traces import Measurement, Trace, calibrated, profile_text
    from simulator.energy.work import DatabaseSize, Models

    if out.suffix != ".toml":
        message = f"--out {out}: expected a name that ends in .toml"
        raise ConfigError(message)
    traces = [Trace.read(path) for path in (asleep, listening, answering)]
    measurement = Measurement(
        asleep=traces[0], listening=traces[1], answering=traces[2], n_answers=n_answers, voltage_v=voltage_v
    )
    models, size = Models.load(detector, fingerprinter), DatabaseSize(n_songs=songs)
    profile = calibrated(DeviceProfile.load(device), measurement, models, size, name=out.stem, title=title)
    write_text(out, profile_text(profile))
    rows = [
        [name, f"{one.value:.4g}", f"{one.low:.4g} to {one.high:.4g}"]
        for name, one in (
            ("sleeping device, mA", measurement.suspend()),
            ("listening in addition, mA", measurement.detector()),
            ("a wake-up in addition, J", measurement.wake()),
        )
    ]
    if as_json:
        names = ("sleeping_ma", "listening_ma", "wake_j")
        found = (measurement.suspend(), measurement.detector(), measurement.wake())
        emit_json("written/1", {"path": str(out), **dict(zip(names, map(asdict, found), strict=True))})
        return
    table(["measured", "mean", "95 %"], rows)
    note(f"profile written to {out}; nowplaying energy --device {out} simulates its days")
