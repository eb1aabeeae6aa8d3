"""Events as lines and tables for a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from nowplaying_core.text import clock
from simulator.phone.events import Event, EventKind
from simulator.run import SimulationResult
from simulator.scenes.scene import SoundKind
from simulator.scenes.score_scene import Outcome, SceneResult

__all__ = ["STATE_STYLES", "describe", "energy_table", "scene_results_table", "timeline_table"]

STATE_STYLES = {
    "listening": "green",
    "capturing": "yellow",
    "recognizing": "bold magenta",
    "cooling_down": "cyan",
    "paused": "dim",
    "off": "dim",
}
_OUTCOME_STYLES = {
    Outcome.RECOGNIZED: "bold green",
    Outcome.RIGHTLY_UNKNOWN: "green",
    Outcome.IGNORED: "green",
    Outcome.NOT_LISTENED: "green",
    Outcome.WOKE_FOR_NOTHING: "yellow",
    Outcome.MISSED: "bold red",
    Outcome.MISPLACED: "bold red",
    Outcome.WRONG: "bold red",
}


def describe(event: Event) -> str:
    """Return an event in words, in one line without its time."""
    data = event.data
    match event.kind:
        case EventKind.STATE:
            return f"{str(data['to']).replace('_', ' ')} ({str(data['reason']).replace('_', ' ')})"
        case EventKind.RECOGNIZED:
            by = f" by {data['artist']}" if data["artist"] else ""
            return f"{data['title']}{by}, at {clock(max(0.0, data['offset_s']))} of the song, score {data['score']:.2f}"
        case EventKind.UNKNOWN:
            return f"no song of the database ({data['n_fingerprints']} fingerprints compared)"
        case EventKind.SKIPPED:
            return f"music not looked up ({str(data['reason']).replace('_', ' ')})"
        case EventKind.PROBABILITY:
            return f"P(music) {data['probability']:.2f}, smoothed {data['smoothed']:.2f}"


def timeline_table(result: SimulationResult) -> Table:
    """Return all state changes and answers, with what was really to be heard where a scene was played."""
    table = Table(title=f"Timeline: {result.source}", title_justify="left")
    table.add_column("time", justify="right")
    table.add_column("phone")
    table.add_column("what happened", overflow="fold")
    if result.scene_results:
        table.add_column("really to be heard", overflow="fold")
    for event in result.events:
        if event.kind is EventKind.PROBABILITY:
            continue
        is_state = event.kind is EventKind.STATE
        word = str(event.data["to"]) if is_state else str(event.kind)
        what = str(event.data["reason"]) if is_state else describe(event)
        style = STATE_STYLES.get(word, "bold")
        # Titles come from files: they are shown as they are, never read as markup.
        cells: list[str | Text] = [
            clock(event.time_s),
            Text(word.replace("_", " "), style=style),
            Text(what.replace("_", " ")),
        ]
        if result.scene_results:
            cells.append(Text(_truth(result.scene_results, event.time_s)))
        table.add_row(*cells)
    return table


def scene_results_table(scene_results: Sequence[SceneResult]) -> Table:
    """Return what became of every sound of a scene."""
    table = Table(title="Against the script", title_justify="left")
    for name in ("from", "sound", "outcome"):
        table.add_column(name, overflow="fold")
    for name in ("delay s", "offset s", "true offset s", "score"):
        table.add_column(name, justify="right")
    for one in scene_results:
        score = next((f"{a.data['score']:.2f}" for a in one.answers if a.kind is EventKind.RECOGNIZED), "")
        label = (
            one.sound.label if one.sound.kind is not SoundKind.MUSIC else f"{one.sound.label}: {one.sound.recording}"
        )
        table.add_row(
            clock(one.sound.start_s),
            Text(label),
            Text(str(one.outcome), style=_OUTCOME_STYLES[one.outcome]),
            _number(one.delay_s),
            _number(one.found_offset_s),
            _number(one.expected_offset_s),
            score,
        )
    return table


def energy_table(result: SimulationResult) -> Table:
    """Return the energy of a run by state at the published cost of a wake-up, and by component at the modelled one."""
    account, modelled = result.account, result.modelled_account
    table = Table(title=f"Energy of {clock(account.elapsed_s)} on a {result.device.title}", title_justify="left")
    for name in ("where", "seconds", "mJ", "share"):
        table.add_column(name, justify="left" if name == "where" else "right")
    for state, energy_mj in account.by_state_mj.items():
        if account.duration_s[state] or energy_mj:
            seconds = f"{account.duration_s[state]:.1f}"
            table.add_row(str(state).replace("_", " "), seconds, *_share(energy_mj, account.total_mj))
    table.add_row(
        "total, published", f"{account.elapsed_s:.1f}", *_share(account.total_mj, account.total_mj), end_section=True
    )
    for component, energy_mj in modelled.by_component_mj.items():
        table.add_row(component, "", *_share(energy_mj, modelled.total_mj))
    table.add_row("total, modelled", "", *_share(modelled.total_mj, modelled.total_mj))
    return table


def _share(energy_mj: float, total_mj: float) -> tuple[str, str]:
    return f"{energy_mj:.0f}", f"{100 * energy_mj / total_mj if total_mj else 0:.0f} %"


def _truth(scene_results: Sequence[SceneResult], time_s: float) -> str:
    return (
        " + ".join(one.sound.label for one in scene_results if one.sound.start_s <= time_s < one.sound.end_s) or "quiet"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
