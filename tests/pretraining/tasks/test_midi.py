import shutil
from pathlib import Path

import numpy as np
import pytest

mido = pytest.importorskip("mido", reason="needs the train extra")

from fingerprinter.training import midi as rendering
from fingerprinter.training.midi import Rendering
from nowplaying_core.audio.corpus import read_corpus
from nowplaying_core.errors import ConfigError
from pretraining.tasks import midi
from pretraining.tasks.midi import Facts, MidiTasks, is_test_score, midi_facts

FONTS = [Path("/usr/share/sounds/sf2") / name for name in ("FluidR3_GM.sf2", "TimGM6mb.sf2")]


def write_score(path: Path, *, key: str | None = "G", bpm: tuple[float, ...] = (100.0,), drums: bool = False) -> None:
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    if key is not None:
        track.append(mido.MetaMessage("key_signature", key=key))
    for tempo in bpm:
        track.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo)))
    for note in (60, 64, 67, 72) * 8:
        for kind, after in (("note_on", 0), ("note_off", 480)):
            track.append(mido.Message(kind, note=note, velocity=90, time=after, channel=9 if drums else 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return twenty scores in three keys, of which some are asked."""
    for number in range(20):
        write_score(tmp_path / "scores" / f"{number}.mid", key=("C", "Am", "Bb")[number % 3], bpm=(80.0 + 3 * number,))
    return tmp_path / "scores"


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> dict[Path, tuple[Path, Rendering]]:
    """Note what is to be rendered instead of rendering it."""
    found: dict[Path, tuple[Path, Rendering]] = {}

    def note(score: Path, path: Path, how: Rendering) -> None:
        found[path] = score, how

    monkeypatch.setattr(midi, "render", note)
    return found


@pytest.mark.parametrize(
    ("key", "tonic"), [("C", 0), ("Am", 0), ("F#m", 9), ("Bb", 10), ("Cb", 11), ("A#m", 1), ("Ebm", 6), (None, None)]
)
def test_a_minor_key_has_the_signature_of_its_major(tmp_path: Path, key: str | None, tonic: int | None) -> None:
    write_score(tmp_path / "a.mid", key=key)
    assert midi_facts(tmp_path / "a.mid") == Facts(
        tonic=tonic, tempo_bpm=pytest.approx(100.0, rel=1e-4), has_drums=False
    )


def test_a_tempo_must_be_steady_and_a_file_a_score(tmp_path: Path) -> None:
    write_score(tmp_path / "a.mid", bpm=(100.0, 140.0), drums=True)
    assert midi_facts(tmp_path / "a.mid") == Facts(tonic=7, tempo_bpm=None, has_drums=True)
    write_score(tmp_path / "b.mid", bpm=())
    assert midi_facts(tmp_path / "b.mid").tempo_bpm == 120.0
    (tmp_path / "c.mid").write_bytes(b"no score")
    assert midi_facts(tmp_path / "c.mid") is None


def test_a_key_is_the_signature_plus_the_transposition(folder: Path, rendered: dict, tmp_path: Path) -> None:
    task = MidiTasks(folder, FONTS, tmp_path, per_label=6).key()
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    for example in (*task.train, *task.test):
        score, how = rendered[example.path]
        tonic = {0: 0, 1: 0, 2: 10}[int(score.stem) % 3]
        assert names[(tonic + how.transpose_semitones) % 12] == example.label
        assert -6 < how.transpose_semitones <= 6
    assert (len(task.train), len(task.test)) == (60, 12)


def test_a_tempo_lies_in_its_range_and_no_score_is_stretched_beyond_recognition(
    folder: Path, rendered: dict, tmp_path: Path
) -> None:
    task = MidiTasks(folder, FONTS, tmp_path, per_label=6).tempo()
    for example in (*task.train, *task.test):
        score, how = rendered[example.path]
        low, high = (float(edge) for edge in example.label.removesuffix(" bpm").split("-"))
        assert low - 1 <= (80 + 3 * int(score.stem)) * how.tempo_factor <= high + 1
        assert 0.7 <= how.tempo_factor <= 1.4


def test_a_family_plays_all_voices_and_the_parts_share_neither_score_nor_font(
    folder: Path, rendered: dict, tmp_path: Path
) -> None:
    task = MidiTasks(folder, FONTS, tmp_path, per_label=8).instrument_family()
    parts = [{rendered[example.path][0] for example in part} for part in (task.train, task.test)]
    assert not parts[0] & parts[1]
    for part, font in zip((task.train, task.test), FONTS, strict=True):
        for example in part:
            how = rendered[example.path][1]
            assert how.soundfont == font
            assert len(set(how.programs)) == 1
            assert midi._FAMILIES[how.programs[0] // 8] == example.label


@pytest.mark.parametrize("copies", [1, 2], ids=["named by score", "named by score and content"])
def test_a_score_of_a_test_is_not_learned_from(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copies: int
) -> None:
    for number in range(1, copies):  # scores of the same names, whose renderings have a hash
        for score in list(folder.glob("*.mid")):
            write_score(tmp_path / f"more-{number}" / "scores" / score.name, bpm=(66.0,))
    scores = [score for score in sorted(tmp_path.rglob("*.mid")) if is_test_score(score) or int(score.stem) < 3]
    monkeypatch.setattr(rendering, "render", lambda _score, output, _how: output.touch())
    rendering.render_folder(scores, tmp_path / "out", soundfonts=FONTS, duration_s=3.0, seed=1, jobs=1)
    learned = read_corpus(tmp_path / "out", "music")
    n_test = sum(map(is_test_score, scores))
    assert 0 < n_test < len(scores) == len(learned)
    with pytest.raises(ConfigError, match=f"found {n_test} of {len(learned)} recordings; render it with --without-t"):
        MidiTasks(folder, FONTS, tmp_path, learned=learned)
    others = {score.stem for score in scores if not is_test_score(score)}
    MidiTasks(folder, FONTS, tmp_path, learned=[one for one in learned if one.path.stem.split("-")[1] in others])


def test_scores_need_a_font(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--soundfont"):
        MidiTasks(folder, [], tmp_path)


@pytest.mark.skipif(
    shutil.which("fluidsynth") is None or not all(font.is_file() for font in FONTS), reason="no fluidsynth or font"
)
def test_what_is_rendered_sounds(folder: Path, tmp_path: Path) -> None:
    from nowplaying_core.audio import load

    task = MidiTasks(folder, FONTS, tmp_path, per_label=2, duration_s=3.0).tempo()
    sounds = [load(example.path) for example in (*task.train, *task.test)]
    assert all(np.sqrt(np.mean(sound**2)) > 1e-3 for sound in sounds)
