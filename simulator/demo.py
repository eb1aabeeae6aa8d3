"""The demo: index a dozen songs, let the phone hear an evening, and compare what it says with what was played."""

import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from fingerprinter.fingerprint import Fingerprinter
from ondevice_db.indexing import index_paths
from simulator.day import DAYS, energy_per_day
from simulator.device import DeviceProfile
from simulator.energy import day_mah
from simulator.play import simulate_scene
from simulator.recordings import demo_recordings
from simulator.report import write_report
from simulator.run import SimulationResult
from simulator.timeline import energy_table, findings_table, timeline_table
from simulator.verdict import Outcome

__all__ = ["index_demo_songs", "run_demo", "simulate_scene"]


def index_demo_songs(database: Path, fingerprinter: str | Path = "fingerprinter-v1") -> int:
    """Index the shipped songs that the phone is to know.

    Parameters
    ----------
    database : Path
        Database to make.
    fingerprinter : str or Path

    Returns
    -------
    int
        Number of songs.
    """
    paths = [one.path for one in demo_recordings().values() if one.indexed]
    report = index_paths(paths, database, Fingerprinter.from_model(fingerprinter))
    return len(report.added)


def run_demo(
    console: Console,
    *,
    report: Path | None = None,
    scene: str = "evening",
    seed: int = 1,
    detector: str | Path = "detector-v1",
    fingerprinter: str | Path = "fingerprinter-v1",
) -> bool:
    """Index the shipped songs, play a scene to the simulated phone, and print what it heard.

    Parameters
    ----------
    console : Console
        Where to print.
    report : Path, optional
        HTML report to write.
    scene : str
        A shipped scene.
    seed : int
        Of the scene's room tone and rooms, and of the simulated days.
    detector, fingerprinter : str or Path
        Models.

    Returns
    -------
    bool
        Whether the phone named every song that it knows, at the right place, and named nothing else.
    """
    began_s = time.perf_counter()
    recordings = demo_recordings()
    with tempfile.TemporaryDirectory(prefix="nowplaying-demo-") as folder:
        database = Path(folder) / "demo.npdb"
        n_songs = index_demo_songs(database, fingerprinter)
        console.print(f"Indexed {n_songs} songs in {time.perf_counter() - began_s:.1f} s.")
        result = simulate_scene(scene, database, seed=seed, detector=detector, fingerprinter=fingerprinter)
    speed = result.duration_s / result.wall_s
    console.print(f"Heard {result.duration_s:.0f} s in {result.wall_s:.1f} s, {speed:.0f} times real time.\n")
    console.print(timeline_table(result))
    console.print(findings_table(result.findings))
    console.print(energy_table(result))
    console.print(_day_text(result, seed), highlight=False)
    _print_verdict(console, result)
    used = {one.sound.recording for one in result.findings}
    artists = sorted({f"{one.artist} ({one.licence})" for name, one in recordings.items() if name in used})
    console.print(f"Recordings by {'; '.join(artists)}. See simulator/demo_assets/ATTRIBUTION.md.", style="dim")
    if report is not None:
        write_report(report, result, seed=seed)
        console.print(f"Report: {report}")
    return all(one.outcome.is_right for one in result.findings)


def _day_text(result: SimulationResult, seed: int) -> str:
    device: DeviceProfile = result.device
    day = energy_per_day(device, DAYS["average"], 1000, np.random.default_rng(seed))
    figures = day.to_dict()
    low, high = (float(one) for one in np.percentile(day.total_mah, [5, 95]))
    text = (
        f"A day with the published 100 wake-ups costs {day_mah(device, 100):.1f} mAh on a {device.title}, "
        f"{100 * day_mah(device, 100) / device.battery.capacity_mah:.2f} % of its battery; "
        f"{len(day.total_mah)} simulated days: {day.total_mah.mean():.1f} mAh, nine of ten from {low:.1f} to {high:.1f}"
    )
    modelled = result.modelled_account
    if modelled.n_wakes:
        wake_j = modelled.wakes_mj / 1000 / modelled.n_wakes
        total_mah = day_mah(device, 100, wake_j)
        text += f".\nWith the {wake_j:.2f} J a wake-up modelled from our compute time: {total_mah:.1f} mAh"
    return f"{text}.\nThe sleeping phone itself draws {figures['sleeping_phone_mah']:.0f} mAh a day.\n"


def _print_verdict(console: Console, result: SimulationResult) -> None:
    counts = {outcome: sum(one.outcome is outcome for one in result.findings) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    is_right = all(one.outcome.is_right for one in result.findings)
    console.print(
        f"{'All right' if is_right else 'Not right'}: {told}.", style="bold green" if is_right else "bold red"
    )
