"""Plan of one day: the places where a person stays, and the songs that play there."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.days.scenes import Assumptions, Block, DayScene, Scenario, load_scenes
from simulator.energy.costs import DAY_S

__all__ = ["DayPlan", "Dwell", "PlayedSong", "draw_day"]

_LEAST_DWELL_S = 60.0
_LEAST_SONG_S = 30.0


@dataclass(frozen=True, slots=True)
class Dwell:
    """A stretch of time in one scene."""

    scene: DayScene
    start_s: float
    end_s: float
    charging: bool

    @property
    def duration_s(self) -> float:
        """How long, in s."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class PlayedSong:
    """A song, or the part of it that is played near the phone.

    Attributes
    ----------
    number : int
        In the day.
    start_s, end_s : float, seconds since midnight
        When it is played.
    offset_s, duration_s : float, seconds
        Place in the song at the start, and the song's whole length.
    snr_db : float
    known : bool
        Whether the database holds it.
    scene : DayScene
    """

    number: int
    start_s: float
    end_s: float
    offset_s: float
    duration_s: float
    snr_db: float
    known: bool
    scene: DayScene


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The true course of a day.

    Attributes
    ----------
    dwells : list of Dwell
        From midnight to midnight without gaps.
    songs : list of PlayedSong
        In order, never two at once.
    sounding_factor : float >= 0
        On the scenes' shares of the time that is not silent.
    """

    dwells: list[Dwell]
    songs: list[PlayedSong]
    sounding_factor: float = 1.0

    def songs_between(self, start_s: float, end_s: float) -> Iterator[PlayedSong]:
        """Yield the songs that are played in a stretch of time."""
        index = max(0, bisect_right(self.songs, start_s, key=lambda song: song.start_s) - 1)
        while index < len(self.songs) and self.songs[index].start_s < end_s:
            if self.songs[index].end_s > start_s:
                yield self.songs[index]
            index += 1

    def music_s(self, start_s: float = 0.0, end_s: float = DAY_S) -> float:
        """Return the time with music from outside the phone, of the day or of a part of it."""
        songs = self.songs_between(start_s, end_s)
        return sum(min(song.end_s, end_s) - max(song.start_s, start_s) for song in songs)

    def quiet_s(self, start_s: float = 0.0, end_s: float = DAY_S) -> float:
        """Return the time in which nothing sounds, of the day or of a part of it: sounds fill their share of a scene.

        A scene in which the phone itself sounds has no quiet.
        """
        quiet_s = 0.0
        for dwell in self.dwells:
            begin_s, until_s = max(dwell.start_s, start_s), min(dwell.end_s, end_s)
            if begin_s < until_s and not dwell.scene.phone:
                quiet_share = max(0.0, 1 - dwell.scene.sounding_share * self.sounding_factor)
                quiet_s += quiet_share * (until_s - begin_s - self.music_s(begin_s, until_s))
        return quiet_s


def draw_day(scenario: Scenario, assumptions: Assumptions, rng: np.random.Generator) -> DayPlan:
    """Draw a day.

    A person moves from scene to scene of the present block: a Markov chain whose next scene has the block's weights,
    whatever the last one was, with exponential dwells. Music comes and goes as a renewal process in each scene.

    Parameters
    ----------
    scenario : Scenario
    assumptions : Assumptions
    rng : numpy.random.Generator
    """
    dwells = list(_dwells(scenario, assumptions, rng))
    factor = assumptions.music_factor * _daily_factor(assumptions.day_sd, rng)
    songs: list[PlayedSong] = []
    for dwell in dwells:
        songs += _songs(dwell, factor, assumptions, rng, len(songs))
    return DayPlan(dwells, songs, assumptions.sounding_factor)


def _daily_factor(sd: float, rng: np.random.Generator) -> float:
    """Return a factor of mean one: days are not alike."""
    return float(rng.gamma(1 / sd**2, sd**2)) if sd > 0 else 1.0


def _dwells(scenario: Scenario, assumptions: Assumptions, rng: np.random.Generator) -> Iterator[Dwell]:
    scenes = {**load_scenes(), **scenario.scenes}
    for block, start_s, end_s in _blocks(scenario, rng):
        names, weights = list(block.weights), np.array(list(block.weights.values()))
        now_s = start_s
        while now_s < end_s:
            scene = scenes[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
            mean_s = 60 * scene.dwell_min * assumptions.dwell_factor
            until_s = min(end_s, now_s + max(_LEAST_DWELL_S, float(rng.exponential(mean_s))))
            yield Dwell(scene, now_s, until_s, block.charging)
            now_s = until_s


def _blocks(scenario: Scenario, rng: np.random.Generator) -> Iterator[tuple[Block, float, float]]:
    """Yield the day's blocks from midnight to midnight; the last one of the evening also opens the day."""
    blocks = scenario.blocks
    hours = [block.start_h + block.jitter_h * float(np.clip(rng.standard_normal(), -2, 2)) for block in blocks]
    starts_s = [min(max(3600 * hour, 0.0), DAY_S) for hour in np.maximum.accumulate(hours)]
    if starts_s[0] > 0:
        yield blocks[-1], 0.0, starts_s[0]
    for block, start_s, end_s in zip(blocks, starts_s, [*starts_s[1:], DAY_S], strict=True):
        if end_s > start_s:
            yield block, start_s, end_s


def _songs(
    dwell: Dwell, factor: float, assumptions: Assumptions, rng: np.random.Generator, n_before: int
) -> Iterator[PlayedSong]:
    scene = dwell.scene
    share = min(0.98, factor * scene.music_share)
    if share <= 0:
        return
    mean_row_s = scene.songs_in_row * assumptions.song_s
    mean_gap_s = mean_row_s * (1 - share) / share
    now_s, number = dwell.start_s, n_before
    # A person comes into the middle of the music that plays in a scene.
    plays, comes_in = bool(rng.random() < share), True
    while now_s < dwell.end_s:
        if not plays:
            now_s += float(rng.exponential(mean_gap_s))
            plays, comes_in = True, False
            continue
        for _ in range(int(rng.geometric(1 / scene.songs_in_row))):
            duration_s = max(_LEAST_SONG_S, float(rng.normal(assumptions.song_s, assumptions.song_sd_s)))
            offset_s = float(rng.uniform(0, duration_s)) if comes_in else 0.0
            comes_in = False
            end_s = min(dwell.end_s, now_s + duration_s - offset_s)
            if now_s >= dwell.end_s:
                break
            yield PlayedSong(
                number=number,
                start_s=now_s,
                end_s=end_s,
                offset_s=offset_s,
                duration_s=duration_s,
                snr_db=float(rng.normal(scene.snr_db + assumptions.snr_shift_db, scene.snr_sd_db)),
                known=bool(rng.random() < assumptions.known_share),
                scene=scene,
            )
            number, now_s = number + 1, end_s
        plays = False
