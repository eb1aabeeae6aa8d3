"""Every figure of a study that can be stated or swept: its name in words, unit and possible range."""

from difflib import get_close_matches
from typing import Final

from nowplaying_core.errors import ConfigError
from simulator.energy.figures import DEVICE_FIGURES, Figure, device_figure

__all__ = ["STUDY_FIGURES", "figure_of", "unit_of", "words_of"]

STUDY_FIGURES: Final = {
    "days.music_factor": Figure("music that people meet, as a factor", "", 0, 10),
    "days.sounding_factor": Figure("share of time that is not silent, as a factor", "", 0, 10),
    "days.dwell_factor": Figure("stay in one place, as a factor", "", 0.05, 20),
    "days.snr_shift_db": Figure("level of music above other sound, shifted", "dB", -60, 60),
    "days.known_share": Figure("share of the music that a database of 10,000 songs holds", "", 0, 1),
    "days.song_s": Figure("mean length of a song", "s", 30, 3600),
    "days.song_sd_s": Figure("standard deviation of the length of a song", "s", 0, 1800),
    "days.day_sd": Figure("difference between a person's days, as a share", "", 0, 3),
    "days.chances_per_song": Figure("chances of the detector at a song that it missed", "", 1, 100),
    "days.leave_delay_s": Figure("time that the gate stays open after music", "s", 0, 600),
    "days.false_open_s": Figure("time that a false wake-up keeps the gate open", "s", 0, 600),
    "days.awake_percent_per_h": Figure("charge that the rest of the device takes an hour", "% of the battery", 0, 100),
    "days.saver_percent": Figure("charge at which the battery saver begins", "% of the battery", 0, 100),
    "detector.false_triggers_per_h": Figure("false wake-ups an hour of sound", "/h", 0, 1000),
    "detector.recall_factor": Figure("recall of the detector, as a factor", "", 0, 10),
    "recognizer.accepted": Figure("known music accepted, as a factor", "", 0, 10),
    "recognizer.unknown_accepted": Figure("share of unknown music given a name", "", 0, 1),
    "recognizer.noise_accepted": Figure("share of other sounds given a name", "", 0, 1),
    "gate.cool_down_s": Figure("cool-down after a wake-up", "s", 0, 3600),
    "gate.back_off_factor": Figure("factor on the rest after each unknown", "", 1, 100),
    "database.songs": Figure("songs in the database", "", 0, 10_000_000),
}


def figure_of(name: str) -> Figure:
    """Return the figure of a name.

    Raises
    ------
    ConfigError
        When there is none.
    """
    if name in STUDY_FIGURES:
        return STUDY_FIGURES[name]
    try:
        return device_figure(name)
    except KeyError:
        near = get_close_matches(name, [*DEVICE_FIGURES, *STUDY_FIGURES], n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        message = f"no figure is named {name!r}; {meant}'nowplaying energy figures' lists them"
        raise ConfigError(message) from None


def words_of(name: str) -> str:
    """Return a figure's name in words; a name that is words already stays."""
    try:
        return figure_of(name).title
    except ConfigError:
        return name


def unit_of(name: str) -> str:
    """Return a figure's unit, or nothing."""
    try:
        return figure_of(name).unit
    except ConfigError:
        return ""
