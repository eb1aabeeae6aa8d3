"""Render MIDI files to training music with varied instruments, keys and tempi."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nowplaying_core.artifacts import sha256_file, write_atomic
from nowplaying_core.errors import AudioFormatError, needs_extra

__all__ = ["Rendering", "choose_scores", "draw_rendering", "render", "render_folder", "renderings_of"]

_DRUM_CHANNEL = 9
_ALL_SOUND_OFF = 120
# Volume, pan, expression, sustain. Others carry loop points of game engines, which FluidSynth obeys without end.
_KEPT_CONTROLLERS = frozenset((7, 10, 11, 64))
_TIMEOUT_S = 120
_HASH = re.compile("-[0-9a-f]{8}$")
_N_PROGRAMS = 120  # the last eight General MIDI programs are sound effects


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering:
    """The parameters of one rendering, as :func:`draw_rendering` draws them.

    Attributes
    ----------
    soundfont : Path
    transpose_semitones : int in [-5, 5]
    tempo_factor : float in [0.8, 1.25]
        1.1 is 10 % faster.
    programs : tuple of int, length 16
        General MIDI program of each channel, or -1 to keep the score's own.
    start_s, duration_s : float
        Which part of the score, in seconds after the tempo change.
    """

    soundfont: Path
    transpose_semitones: int
    tempo_factor: float
    programs: tuple[int, ...]
    start_s: float
    duration_s: float


def choose_scores(folder: Path, *, per_folder: int, seed: int) -> list[Path]:
    """List MIDI files in a random but reproducible order, with a limit for each sub-folder's share.

    Raises
    ------
    AudioFormatError
        When there are none.
    """
    rng = np.random.default_rng(seed)
    groups: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob("*.mid")) + sorted(folder.rglob("*.midi")):
        groups.setdefault(path.parent, []).append(path)
    chosen = [group[index] for group in groups.values() for index in rng.permutation(len(group))[:per_folder]]
    if not chosen:
        message = f"{folder}: expected .mid or .midi files, found none"
        raise AudioFormatError(message)
    return [chosen[index] for index in rng.permutation(len(chosen))]


def draw_rendering(rng: np.random.Generator, soundfonts: Sequence[Path], duration_s: float) -> Rendering:
    """Draw one rendering; half of the channels get another instrument than the score asks for."""
    replaced = rng.random(16) < 0.5
    programs = np.where(replaced, rng.integers(0, _N_PROGRAMS, 16), -1)
    return Rendering(
        soundfont=soundfonts[int(rng.integers(len(soundfonts)))],
        transpose_semitones=int(rng.integers(-5, 6)),
        tempo_factor=float(np.exp(rng.uniform(np.log(0.8), np.log(1.25)))),
        programs=tuple(int(program) for program in programs),
        start_s=float(rng.uniform(0, 30)),
        duration_s=duration_s,
    )


def render(score: Path, output: Path, how: Rendering) -> None:
    """Render a part of a score to a 16 kHz WAV file with FluidSynth.

    Raises
    ------
    MissingExtraError
        When mido is not installed.
    AudioFormatError
        When the score cannot be read, or FluidSynth is missing or fails.
    """
    with needs_extra("train", "rendering MIDI"):
        import mido
    if shutil.which("fluidsynth") is None:
        message = "rendering MIDI needs the fluidsynth program: install it (Debian: fluidsynth, fluid-soundfont-gm)"
        raise AudioFormatError(message)
    try:
        source = mido.MidiFile(score, clip=True)
        messages = list(source)
    except (OSError, EOFError, ValueError, KeyError, IndexError) as error:
        message = f"{score}: expected a standard MIDI file ({error})"
        raise AudioFormatError(message) from error
    length_s = sum(message.time for message in messages) / how.tempo_factor
    start_s = min(how.start_s, max(0.0, length_s - how.duration_s))
    arranged = _arrange(mido, messages, how, start_s)

    def write(temporary: Path) -> None:
        part = temporary.with_suffix(".mid")
        try:
            arranged.save(part)
            command = ["fluidsynth", "-n", "-i", "-q", "-r", "16000", "-g", "0.5", "-T", "wav"]
            command += ["-F", str(temporary), str(how.soundfont), str(part)]
            try:
                result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired as error:
                message = f"{score}: fluidsynth did not end within {_TIMEOUT_S} s"
                raise AudioFormatError(message) from error
            if result.returncode != 0 or not temporary.is_file():
                message = f"{score}: fluidsynth could not render it ({result.stderr.strip()[-200:]})"
                raise AudioFormatError(message)
        finally:
            part.unlink(missing_ok=True)

    write_atomic(output, write)


def _arrange(mido: object, messages: list, how: Rendering, start_s: float):  # type: ignore[no-untyped-def,type-arg]
    """Return a one-track MIDI file with the drawn changes, cut to the drawn part; 1 ms per tick."""
    file = mido.MidiFile(ticks_per_beat=500)  # type: ignore[attr-defined]  # 120 beats a minute: one tick is 1 ms
    track = mido.MidiTrack()  # type: ignore[attr-defined]
    file.tracks.append(track)
    for channel, program in enumerate(how.programs):
        if program >= 0 and channel != _DRUM_CHANNEL:
            track.append(mido.Message("program_change", channel=channel, program=program, time=0))  # type: ignore[attr-defined]
    now_s, written_ms = 0.0, 0
    for message in messages:
        now_s += message.time / how.tempo_factor
        if now_s > start_s + how.duration_s:
            break
        if message.is_meta or message.type == "sysex":
            continue
        if message.type == "control_change" and message.control not in _KEPT_CONTROLLERS:
            continue
        changed = message
        if message.type in ("note_on", "note_off"):
            if now_s < start_s:
                continue
            if message.channel != _DRUM_CHANNEL:
                changed = message.copy(note=int(np.clip(message.note + how.transpose_semitones, 0, 127)))
        elif message.type == "program_change" and how.programs[message.channel] >= 0:
            continue
        at_ms = max(0, round((now_s - start_s) * 1000))
        track.append(changed.copy(time=at_ms - written_ms))
        written_ms = at_ms
    # Notes that the cut left hanging would sound for ever; they are held to the end, and not to the last event before.
    waits_ms = [max(round(min(how.duration_s, now_s - start_s) * 1000) - written_ms, 0)] + 15 * [0]
    for channel, wait_ms in enumerate(waits_ms):
        off = {"channel": channel, "control": _ALL_SOUND_OFF, "time": wait_ms}
        track.append(mido.Message("control_change", **off))  # type: ignore[attr-defined]
    return file


def render_folder(
    scores: Sequence[Path], output: Path, *, soundfonts: Sequence[Path], duration_s: float, seed: int, jobs: int
) -> list[str]:
    """Render many scores, each once, skipping those already there; return one line per score that failed.

    The drawing depends on the seed and the score's place in the list only, not on ``jobs``.
    """
    output.mkdir(parents=True, exist_ok=True)
    names = [_rendered_name(score) for score in scores]
    often = Counter(names)
    # Where scores and their folders have the same names, the hash of their content is added.
    names = [
        name if often[name] == 1 else f"{name}-{sha256_file(score)[:8]}"
        for name, score in zip(names, scores, strict=True)
    ]

    def one(index: int) -> str | None:
        score, target = scores[index], output / f"{names[index]}.wav"
        if target.exists() or names.index(names[index]) < index:
            return None
        rng = np.random.default_rng([seed, index])
        try:
            render(score, target, draw_rendering(rng, soundfonts, duration_s))
        except AudioFormatError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(jobs) as pool:
        return [failure for failure in pool.map(one, range(len(scores))) if failure is not None]


def renderings_of(scores: Iterable[Path], recordings: Iterable[Path]) -> list[Path]:
    """Return the recordings that :func:`render_folder` has named after one of the scores, wherever they lie now."""
    names = {_rendered_name(score) for score in scores}
    return [path for path in recordings if {path.stem, _HASH.sub("", path.stem)} & names]


def _rendered_name(score: Path) -> str:
    return f"{score.parent.name}-{score.stem}"
