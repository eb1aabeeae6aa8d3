"""Settings of the phone: how long it captures, when it rests, and when it leaves music alone."""

from dataclasses import dataclass
from itertools import pairwise

from detector.gate import GateConfig
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import require_not_negative, require_positive

__all__ = ["PhoneConfig"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneConfig:
    """Settings of the loop.

    Attributes
    ----------
    gate : GateConfig
        From the detector's manifest. Its cool-down is the shortest time from an answer to the next wake-up; its
        back-off factor lengthens it with each answer "unknown" in a row.
    buffer_s : float > 0, seconds
        Length of the ring buffer.
    max_capture_s : float >= 0, seconds
        The longest wait after the gate opened for the buffer to fill with music.
    early_looks_s : tuple of float > 0, ascending, seconds
        The phone also asks as soon as the buffer holds so many seconds of music, about the music alone: at once where
        it does when the gate opens, and one look then stands for all that are due. An early look that finds nothing
        is no answer: the phone goes on capturing, and no rest begins. A name at an early look needs ten times the odds
        of the threshold. A look less than a second before the capture's end is left out. Empty: the only look is at
        that end.
    onset_in_window_s : float >= 0, seconds
        The music is assumed to begin this long before the end of the first window classified as music: half a detector
        window.
    skips_same_song : bool
        Whether a recognized song that goes on is left alone until it should be over.
    same_song_limit_s : float >= 0, seconds
        The longest that it is left alone, whatever length the database states.
    music_gap_s : float >= 0, seconds
        A gate that is closed for longer ends the song.
    rest_ends_after_gap_s : float >= 0, seconds, or None
        While the phone rests after an answer, music that begins when the gate has been closed for so long ends the
        rest at once; music that goes on does not. None: a rest always lasts its time.
    captures_afresh : bool
        Whether each capture records a whole new buffer, as a phone without an always-on ring buffer must.
    """

    gate: GateConfig
    buffer_s: float = 8.0
    max_capture_s: float = 4.0
    early_looks_s: tuple[float, ...] = (3.0,)
    onset_in_window_s: float = 2.23
    skips_same_song: bool = True
    same_song_limit_s: float = 600.0
    music_gap_s: float = 5.0
    rest_ends_after_gap_s: float | None = 5.0
    captures_afresh: bool = False

    def __post_init__(self) -> None:
        names: tuple[str, ...] = ("max_capture_s", "onset_in_window_s", "same_song_limit_s", "music_gap_s")
        if self.rest_ends_after_gap_s is not None:
            names = (*names, "rest_ends_after_gap_s")
        require_not_negative(self, *names, table="phone")
        require_positive(self, "buffer_s", table="phone")
        if not all(first < second for first, second in pairwise((0.0, *self.early_looks_s))):
            found = list(self.early_looks_s)
            message = f"phone: early_looks_s: expected seconds above 0 in ascending order, found {found}"
            raise ConfigError(message)

    def rest_s(self, n_unknown: int) -> float:
        """Return how long the phone rests after so many answers "unknown" in a row, in s."""
        gate = self.gate
        longest_s = max(gate.cool_down_s, gate.longest_rest_s)
        # A long row of answers would overflow the power long after it has reached the longest rest.
        return min(gate.cool_down_s * gate.back_off_factor ** min(max(n_unknown - 1, 0), 60), longest_s)
