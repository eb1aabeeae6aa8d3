import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fingerprinter.training import midi
from fingerprinter.training.midi import Rendering, _arrange, choose_scores, draw_rendering, render, render_folder
from nowplaying_core.errors import AudioFormatError

SOUNDFONTS = [path for path in (Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),) if path.exists()]


def test_drawing_is_reproducible_and_in_range():
    fonts = [Path("a.sf2"), Path("b.sf2")]
    drawn = [draw_rendering(np.random.default_rng(seed), fonts, 30.0) for seed in range(50)]
    assert drawn[3] == draw_rendering(np.random.default_rng(3), fonts, 30.0)
    assert all(0.8 <= item.tempo_factor <= 1.25 and abs(item.transpose_semitones) <= 5 for item in drawn)
    assert {item.soundfont for item in drawn} == set(fonts)


def test_a_score_becomes_sound(tmp_path):
    mido = pytest.importorskip("mido", reason="the train extra is not installed")
    if not SOUNDFONTS or shutil.which("fluidsynth") is None:
        pytest.skip("fluidsynth and the timgm6mb-soundfont are not installed")
    score = mido.MidiFile()
    track = mido.MidiTrack()
    score.tracks.append(track)
    track.append(mido.Message("note_on", note=69, velocity=100, time=0))
    track.append(mido.Message("note_off", note=69, time=1920))
    score.save(tmp_path / "note.mid")
    how = Rendering(
        soundfont=SOUNDFONTS[0], transpose_semitones=0, tempo_factor=1.0, programs=(-1,) * 16, start_s=0, duration_s=4
    )
    render(tmp_path / "note.mid", tmp_path / "note.wav", how)
    samples, rate = soundfile.read(tmp_path / "note.wav")
    assert rate == 16_000
    spectrum = np.abs(np.fft.rfft(samples[:16_000, 0]))
    assert abs(int(np.argmax(spectrum)) - 440) <= 3


def test_a_note_that_is_held_sounds_to_the_end_of_the_cut():
    mido = pytest.importorskip("mido", reason="the train extra is not installed")
    held = [mido.Message("note_on", note=69, velocity=100, time=1.0), mido.Message("note_off", note=69, time=30.0)]
    how = Rendering(
        soundfont=Path("a.sf2"), transpose_semitones=0, tempo_factor=1.0, programs=(-1,) * 16, start_s=0, duration_s=4
    )
    track = _arrange(mido, held, how, 0.0).tracks[0]
    assert [message.type for message in track[:2]] == ["note_on", "control_change"]
    assert sum(message.time for message in track) == 4000


def test_a_text_file_is_refused(tmp_path):
    pytest.importorskip("mido", reason="the train extra is not installed")
    if shutil.which("fluidsynth") is None:
        pytest.skip("fluidsynth is not installed")
    (tmp_path / "no.mid").write_text("hello")
    how = draw_rendering(np.random.default_rng(0), [Path("a.sf2")], 3.0)
    with pytest.raises(AudioFormatError, match=r"no\.mid"):
        render(tmp_path / "no.mid", tmp_path / "no.wav", how)


def test_choosing_limits_each_folder_and_repeats(tmp_path):
    for folder, count in (("many", 9), ("few", 2)):
        (tmp_path / folder).mkdir()
        for number in range(count):
            (tmp_path / folder / f"{number}.mid").touch()
    chosen = choose_scores(tmp_path, per_folder=4, seed=1)
    assert sorted(path.parent.name for path in chosen) == ["few"] * 2 + ["many"] * 4
    assert chosen == choose_scores(tmp_path, per_folder=4, seed=1)
    with pytest.raises(AudioFormatError, match="found none"):
        choose_scores(tmp_path / "few" / "none", per_folder=4, seed=1)


@pytest.mark.parametrize("jobs", [1, 3])
def test_scores_of_one_name_are_each_rendered_once(tmp_path, monkeypatch, jobs):
    scores = [tmp_path / folder / "album" / "one.mid" for folder in "abc"] + [tmp_path / "d" / "other" / "one.mid"]
    for score, content in zip(scores, (b"1", b"2", b"1", b"4"), strict=True):
        score.parent.mkdir(parents=True)
        score.write_bytes(content)
    monkeypatch.setattr(midi, "render", lambda score, output, _how: output.write_bytes(score.read_bytes()))
    out = tmp_path / "out"
    assert render_folder(scores, out, soundfonts=[Path("a.sf2")], duration_s=3.0, seed=1, jobs=jobs) == []
    assert sorted(path.read_bytes() for path in out.iterdir()) == [b"1", b"2", b"4"]
    assert (out / "other-one.wav").is_file()
