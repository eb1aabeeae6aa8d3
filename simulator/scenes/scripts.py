"""The scripts of the shipped scenes, made of the shipped recordings."""

from simulator.phone.conditions import Condition, PauseReason
from simulator.scenes.scene import Scene, Sound, SoundKind

__all__ = ["SCENES"]


def _music(recording: str, start_s: float, label: str, *, snr_db: float, cutoff_hz: float | None = None) -> Sound:
    return Sound(
        recording=recording,
        kind=SoundKind.MUSIC,
        label=label,
        start_s=start_s,
        duration_s=30.0,
        offset_s=2.0,
        snr_db=snr_db,
        other_room_cutoff_hz=cutoff_hz,
    )


def _noise(recording: str, start_s: float, duration_s: float, label: str, level_dbfs: float) -> Sound:
    return Sound(
        recording=recording,
        kind=SoundKind.NOISE,
        label=label,
        start_s=start_s,
        duration_s=duration_s,
        level_dbfs=level_dbfs,
    )


def _speech(recording: str, start_s: float, duration_s: float, label: str, level_dbfs: float) -> Sound:
    return Sound(
        recording=recording,
        kind=SoundKind.SPEECH,
        label=label,
        start_s=start_s,
        duration_s=duration_s,
        level_dbfs=level_dbfs,
    )


_EVENING = Scene(
    name="evening",
    title="an evening in six minutes",
    duration_s=360.0,
    sounds=(
        # Quiet until 10 s, then somebody talks: nothing to look up.
        _speech("talking", 10.0, 37.0, "talking", -28.0),
        _speech("reading", 48.0, 15.0, "reading aloud", -30.0),
        _noise("rain", 64.0, 38.0, "rain at the window", -42.0),
        _music("winter-blues", 68.0, "music from another room at 5 dB", snr_db=5.0, cutoff_hz=3000.0),
        _noise("city", 106.0, 30.0, "street", -32.0),
        _noise("coffee-shop", 138.0, 36.0, "cafe", -34.0),
        _music("martian-cowboy", 139.0, "music in a cafe at 5 dB", snr_db=5.0),
        _noise("rain", 178.0, 28.0, "heavy rain", -30.0),
        _noise("city", 208.0, 36.0, "street", -40.0),
        _music("the-dark-amulet", 212.0, "a song that the phone does not know", snr_db=10.0),
        _speech("talking", 248.0, 30.0, "talking", -28.0),
        _noise("city", 280.0, 38.0, "street", -32.0),
        _music("marhaba", 284.0, "a street musician at 3 dB", snr_db=3.0),
        Sound(
            recording="party-sector",
            kind=SoundKind.MUSIC,
            label="the phone plays music itself",
            start_s=322.0,
            duration_s=28.0,
            level_dbfs=-20.0,
        ),
    ),
    conditions=(Condition(reason=PauseReason.OWN_PLAYBACK, start_s=321.0, end_s=351.0),),
)

SCENES = {scene.name: scene for scene in (_EVENING,)}
