"""How queries are degraded: length, noise, room, band, buffer; and the conditions of the standard table."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from nowplaying_core.errors import ConfigError

__all__ = ["CLEAN", "LONGEST_S", "ROOMS", "Condition", "Room", "paired_conditions", "standard_conditions"]

LONGEST_S = 8.0

Room = Literal["none", "simulated", "measured", "T60 0.2 s", "T60 0.4 s", "T60 0.5 s", "T60 0.7 s", "T60 0.8 s"]
ROOMS: tuple[Room, ...] = get_args(Room)
_OPEN_AND_ROOM: tuple[Room, ...] = ("none", "simulated")
_TYPICAL: tuple[tuple[float, Room], ...] = ((5.0, "none"), (0.0, "simulated"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """How a query is degraded.

    Attributes
    ----------
    length_s : float in (0, 8], seconds
    snr_db : float or None
        RMS of the (reverberated) music over that of the noise, over the excerpt, in 100-7000 Hz; None is without noise.
    room : {"none", "simulated", "measured", "T60 0.2 s", ...}
        The simulated ones of all reverberation times or of one.
    noise_in_room : bool
        The noise sounds in the same room; otherwise it is taken as it was recorded, which was in some room already.
    phone_band : bool
        Limit to 200-3800 Hz after the noise, as a poor telephone microphone would.
    other_s : float >= 0, seconds
        At the beginning another sound, as loud as the music, stands in its place, as a phone's buffer still holds it.
    mulaw : bool
        Store in 8-bit mu-law as the phone's ring buffer does.
    """

    length_s: float = 8.0
    snr_db: float | None = None
    room: Room = "none"
    noise_in_room: bool = False
    phone_band: bool = False
    other_s: float = 0.0
    mulaw: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.other_s < self.length_s <= LONGEST_S or self.room not in ROOMS:
            message = f"condition: expected 0 <= other_s < length_s <= 8 s and a kind of room, found {self}"
            raise ConfigError(message)

    @property
    def name(self) -> str:
        """Short name, such as ``"0 dB, room, 8 s"``."""
        parts = ["clean" if self.snr_db is None else f"{self.snr_db:g} dB"]
        parts += {"none": [], "simulated": ["room"], "measured": ["measured room"]}.get(self.room, [self.room])
        parts += ["noise in the room"] * self.noise_in_room
        parts += [f"{self.other_s:g} s of another sound first"] if self.other_s else []
        parts += ["phone band"] * self.phone_band + ["no mu-law"] * (not self.mulaw)
        return ", ".join([*parts, f"{self.length_s:g} s"])

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


CLEAN = Condition()


def paired_conditions() -> list[Condition]:
    """Return the conditions under which systems are compared query by query: the easier and the harder, 8 and 2 s."""
    return [Condition(length_s=length_s, snr_db=snr, room=room) for length_s in (8.0, 2.0) for snr, room in _TYPICAL]


def standard_conditions() -> list[Condition]:
    """Return the conditions of the standard table: clean to -5 dB, with and without rooms, long, short and late."""
    return [
        Condition(),
        *(Condition(snr_db=snr, room=room) for room in _OPEN_AND_ROOM for snr in (5.0, 0.0)),
        Condition(snr_db=-5.0, room="simulated"),
        Condition(snr_db=0.0, room="measured"),
        *(
            Condition(length_s=length_s, snr_db=snr, room=room)
            for length_s in (3.0, 2.0, 1.0)
            for snr, room in _TYPICAL
        ),
        *(Condition(snr_db=snr, room=room, other_s=2.0) for snr, room in _TYPICAL),
    ]
