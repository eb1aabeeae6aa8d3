"""The demo: index a dozen songs, play an evening to the simulated phone, and compare its answers with the script."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import Any

from rich.console import Console

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER
from nowplaying_core.manifest import ModelFolder
from ondevice_db.ingest.ingest import index_paths
from simulator.days.many import AVERAGE
from simulator.days.study import Study
from simulator.days.summary import summarise
from simulator.phone_setup import Setup
from simulator.play import simulate_scene
from simulator.reports.run_report import write_report
from simulator.reports.timeline import run_tables
from simulator.result import SimulationResult
from simulator.scenes.recordings import demo_recordings
from simulator.scenes.score_scene import Outcome

__all__ = ["index_demo_songs", "run_demo"]

N_DAYS = 40
"""Days that the demo simulates: enough for a first figure, and half a second."""


def index_demo_songs(database: Path, fingerprinter: str | Path | ModelFolder = SHIPPED_FINGERPRINTER) -> int:
    """Index the shipped songs that the phone is to know.

    Parameters
    ----------
    database : Path
        Database to make.
    fingerprinter : str, Path or ModelFolder

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
    seed: int = 1,
    command: str = "",
    all_states: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    detector: str | Path = SHIPPED_DETECTOR,
    fingerprinter: str | Path = SHIPPED_FINGERPRINTER,
    on_result: Callable[[SimulationResult], None] | None = None,
) -> bool:
    """Index the shipped songs, play an evening to the simulated phone, and print its answers.

    Parameters
    ----------
    console : Console
        Where to print.
    report : Path, optional
        HTML report to write.
    seed : int
        Of the evening's room tone and rooms, and of the simulated days.
    command : str
        That asked for the demo, for the report.
    all_states : bool
        Whether to print each change of the phone's state, not the answers and pauses alone.
    progress : callable, optional
        Called with what is being done, and with an empty text before anything is printed.
    detector, fingerprinter : str or Path
        Models.
    on_result : callable, optional
        Called with the result.

    Returns
    -------
    bool
        Whether the phone named every song that it knows, at the right place, and named nothing else.
    """
    began_s = time.perf_counter()
    detecting, fingerprinting = (
        ModelFolder.open(detector, role="detector"),
        ModelFolder.open(fingerprinter, role="fingerprinter"),
    )
    recordings = demo_recordings()
    with tempfile.TemporaryDirectory(prefix="nowplaying-demo-") as folder:
        database = Path(folder) / "demo.npdb"
        progress("indexing a dozen songs")
        n_songs = index_demo_songs(database, fingerprinting)
        progress("")
        console.print(f"Indexed {n_songs} songs in {time.perf_counter() - began_s:.1f} s.")
        setup = Setup.open(database, detector=detecting, fingerprinter=fingerprinting)
        progress("playing an evening to the simulated phone")
        result = simulate_scene("evening", setup, seed=seed, command=command)
        progress("")
    if on_result is not None:
        on_result(result)
    speed = result.duration_s / result.wall_s
    console.print(f"Simulated {result.duration_s:.0f} s in {result.wall_s:.1f} s, {speed:.0f} times real time.\n")
    for table in run_tables(result, all_states=all_states):
        console.print(table)
    for sentence in result.findings():
        console.print(fill(f"- {sentence}", console.width, subsequent_indent="  "), highlight=False)
    console.print()
    progress(f"simulating {N_DAYS} days")
    study = Study.load(detector=detecting, fingerprinter=fingerprinting)
    day = summarise(study.simulate(AVERAGE, N_DAYS, seed=seed), study.published, study.modelled)
    progress("")
    console.print(_day_text(result, day), highlight=False)
    _print_score(console, result)
    used = {one.sound.recording for one in result.scene_results}
    artists = sorted({f"{one.artist} ({one.licence})" for name, one in recordings.items() if name in used})
    console.print(f"Recordings by {'; '.join(artists)}. See simulator/scenes/demo_assets/ATTRIBUTION.md.", style="dim")
    if report is not None:
        progress("writing the report")
        write_report(report, result, day)
        progress("")
        console.print(f"Report: {report}")
    return all(one.outcome.is_right for one in result.scene_results)


def _day_text(result: SimulationResult, day: dict[str, Any]) -> str:
    device, published, lines = result.device, result.published, []
    if published is not None and device.published is not None:
        charge_mah = published.day_mah(device.published.wakes_per_day)
        lines.append(
            f"A day with the published {device.published.wakes_per_day:g} wake-ups of {published.wake_j:g} J costs "
            f"{charge_mah:.1f} mAh on the {device.title}, "
            f"{device.battery_percent_of_mah(charge_mah):.2f} % of its battery."
        )
    modelled = day["modelled"]
    low, high = modelled["mah_per_day_p5_p95"]
    at_published = f"{day['published']['mah_per_day']:.1f} mAh at that price; " if day["published"] else ""
    lines.append(
        f"{day['n_days']} days simulated with the error rates of these models: {day['wakes_per_day']:.0f} wake-ups, "
        f"{at_published}{modelled['mah_per_day']:.1f} mAh at the {modelled['wake_j']:.2f} J modelled for them (nine of "
        f"ten days from {low:.1f} to {high:.1f})."
    )
    return f"{' '.join(lines)}\nThe sleeping phone itself draws {day['sleeping_phone_mah']:.0f} mAh a day.\n"


def _print_score(console: Console, result: SimulationResult) -> None:
    counts = {outcome: sum(one.outcome is outcome for one in result.scene_results) for outcome in Outcome}
    listed = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    is_right = all(one.outcome.is_right for one in result.scene_results)
    console.print(
        f"{'All right' if is_right else 'Not right'}: {listed}.", style="bold green" if is_right else "bold red"
    )
