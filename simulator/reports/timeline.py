"""Events as lines and tables for a terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from nowplaying_core.text import clock
from simulator.phone.events import Answered, Event, Looked, MusicProbability, Skipped, State, StateChange
from simulator.result import LEAST_MEAN_S, SimulationResult
from simulator.scenes.score_scene import Outcome, SceneResult

__all__ = ["ENERGY_HEADINGS", "STATE_STYLES", "describe", "energy_rows", "run_tables"]

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
    match event:
        case StateChange():
            return f"{event.after} ({event.reason})".replace("_", " ")
        case Looked():
            return f"early look at {event.answer.buffer_s:.1f} s found nothing"
        case Skipped():
            return f"music not looked up ({event.reason.replace('_', ' ')})"
        case MusicProbability():
            return f"P(music) {event.probability:.2f}, smoothed {event.smoothed:.2f}"
        case Answered():
            song = event.answer.match
            if song is None:
                return f"no song of the database ({event.answer.n_fingerprints} fingerprints compared)"
            place = clock(max(0.0, song.offset_s))
            return f"{song.track.name}, at {place} of the song, score {song.score:.2f}"


def run_tables(result: SimulationResult, *, all_states: bool = False) -> list[Table]:
    """Return the timeline, the results of a scene where one was played, and the energy.

    Parameters
    ----------
    result : SimulationResult
    all_states : bool
        Whether the timeline has each change of state, with a table of the states, or the answers and pauses alone.
    """
    scores = [_scene_results_table(result.scene_results)] if result.scene_results else []
    states = [_states_table(result)] if all_states else []
    return [_timeline_table(result, all_states=all_states), *scores, *states, _energy_table(result)]


def _timeline_table(result: SimulationResult, *, all_states: bool) -> Table:
    """Return state changes and answers, beside the sounds of the scene where one was played."""
    table = Table(title=f"Timeline: {result.source}", title_justify="left")
    table.add_column("time", justify="right")
    table.add_column("phone")
    table.add_column("event", overflow="fold")
    if result.scene_results:
        table.add_column("scene", overflow="fold")
    for event in result.events:
        if isinstance(event, MusicProbability) or not (all_states or _matters(event)):
            continue
        word, text = event.kind, describe(event)
        if isinstance(event, StateChange):
            word, text = str(event.after), event.reason
        style = STATE_STYLES.get(word, "bold")
        # Titles come from files: they are shown as they are, never read as markup.
        cells: list[str | Text] = [
            clock(event.time_s),
            Text(word.replace("_", " "), style=style),
            Text(text.replace("_", " ")),
        ]
        if result.scene_results:
            cells.append(Text(_sounds_at(result.scene_results, event.time_s)))
        table.add_row(*cells)
    return table


def _matters(event: Event) -> bool:
    """Whether an event is an answer, or begins or ends a pause."""
    if isinstance(event, StateChange):
        return State.PAUSED in {event.before, event.after}
    return isinstance(event, Answered)


def _scene_results_table(scene_results: Sequence[SceneResult]) -> Table:
    """Return the outcome of every sound of a scene."""
    table = Table(title="Scene results (times in seconds)", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("from", "sound", "outcome"):
        table.add_column(name, overflow="fold")
    for name in ("delay", "offset", "true", "score"):
        table.add_column(name, justify="right")
    for one in scene_results:
        score = next((f"{a.answer.match.score:.2f}" for a in one.answers if a.answer.match is not None), "")
        table.add_row(
            clock(one.sound.start_s),
            Text(one.sound.title),
            Text(str(one.outcome), style=_OUTCOME_STYLES[one.outcome]),
            _number(one.delay_s),
            _number(one.found_offset_s),
            _number(one.expected_offset_s),
            score,
        )
    return table


def energy_rows(result: SimulationResult) -> list[tuple[str, ...]]:
    """Return the energy of a run by component at the modelled cost of a wake-up, and its totals at both costs.

    Each row has what it is, J, mWh, mAh, mean uA and its share; see ``ENERGY_HEADINGS``.
    """
    usage, total_mj = result.usage, result.usage.total_mj(result.modelled)
    parts = [*usage.by_component_mj(result.modelled).items(), ("total", total_mj)]
    rows: list[tuple[str, ...]] = [
        (name, *_units(result, mj), f"{100 * mj / total_mj if total_mj else 0:.0f} %") for name, mj in parts
    ]
    if result.published is not None:
        published = f"total, {result.published.wake_j:g} J a wake-up as published"
        rows.append((published, *_units(result, usage.total_mj(result.published)), ""))
    return rows


ENERGY_HEADINGS = ("modelled", "J", "mWh", "mAh", "mean uA", "share")


def _units(result: SimulationResult, energy_mj: float) -> tuple[str, str, str, str]:
    mah, elapsed_s = result.device.mah(energy_mj), result.usage.elapsed_s
    mean_ua = f"{3.6e6 * mah / elapsed_s:.1f}" if elapsed_s >= LEAST_MEAN_S else ""
    return f"{energy_mj / 1000:.3f}", f"{energy_mj / 3600:.4f}", f"{mah:.5f}", mean_ua


def _energy_table(result: SimulationResult) -> Table:
    """Return the energy of a run by component."""
    title = f"Energy of {clock(result.usage.elapsed_s)} on: {result.device.title}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in ENERGY_HEADINGS:
        table.add_column(name, justify="left" if name == ENERGY_HEADINGS[0] else "right")
    for row in energy_rows(result):
        table.add_row(*row)
    return table


def _states_table(result: SimulationResult) -> Table:
    """Return time and energy of a run by state of the phone, at the modelled cost of a wake-up."""
    usage = result.usage
    table = Table(title="Time and energy by state", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("state", "seconds", "J"):
        table.add_column(name, justify="left" if name == "state" else "right")
    for state, energy_mj in usage.by_state_mj(result.modelled).items():
        if usage.duration_s[state] or energy_mj:
            name = str(state).replace("_", " ")
            table.add_row(name, f"{usage.duration_s[state]:.1f}", f"{energy_mj / 1000:.3f}")
    return table


def _sounds_at(scene_results: Sequence[SceneResult], time_s: float) -> str:
    return (
        " + ".join(one.sound.label for one in scene_results if one.sound.start_s <= time_s < one.sound.end_s) or "quiet"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
