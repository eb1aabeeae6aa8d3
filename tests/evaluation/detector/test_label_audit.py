"""A teacher goes through a corpus second by second and names what does not sound like its label."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from evaluation.detector import label_audit
from evaluation.detector.label_audit import disagreements, doubtful_recordings, main, read_table, seconds_of
from tests.detector.sounds import noise
from tests.detector.training.fake_teacher import ToneTeacher


def tone(seconds: float) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 500 * np.arange(int(seconds * 16_000)) / 16_000).astype(np.float32)


def test_seconds_are_means_and_the_last_may_be_short() -> None:
    music = seconds_of(np.concatenate([tone(2.0), noise(1, 1.0), tone(0.3)]), ToneTeacher())
    assert music.shape == (4,)
    assert music[[0, 1, 3]] == pytest.approx(1, abs=0.01)
    assert music[2] < 0.1


def test_stretches_of_three_seconds_are_doubtful_and_short_recordings_as_a_whole() -> None:
    music = np.array([0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.1])
    assert disagreements(music, "noise") == [(3, 6)]
    assert disagreements(1 - music, "music") == [(3, 6)]
    assert disagreements(music, "music") == []
    assert disagreements(np.array([0.9, 0.9]), "speech") == [(0, 2)]
    assert disagreements(np.array([0.9, 0.1]), "speech") == []
    assert disagreements(np.array([0.5, 0.5, 0.5]), "noise") == [], "0.5 is not above 0.5"


def test_a_corpus_gets_a_table_of_its_doubtful_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    sounds = {
        "music/train/song.wav": np.concatenate([tone(6.0), noise(1, 4.0)]),
        "music/dev/other.wav": tone(5.0),
        "noise/train/wind.wav": noise(2, 5.0),
        "noise/dev/jingle.wav": tone(4.5),
        "speech/train/talk.wav": noise(3, 3.0),
    }
    for name, samples in sounds.items():
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(corpus / name, samples, 16_000)
    (corpus / "noise" / "train" / "broken.wav").write_bytes(b"RIFF")
    extra = tmp_path / "extra" / "noise" / "game"
    extra.mkdir(parents=True)
    soundfile.write(extra / "beep.wav", tone(1.0), 16_000)
    monkeypatch.setattr(label_audit, "open_teacher", lambda name: {"tone": ToneTeacher()}[name])
    table = tmp_path / "labels.tsv"
    options = [str(corpus), str(tmp_path / "cache"), str(table), "--teacher", "tone"]
    assert main([*options, "--extra-data", str(tmp_path / "extra")]) == 0
    rows = read_table(table)
    found = [(row.split, row.group, row.recording, row.start_s, row.end_s, row.share) for row in rows]
    assert found == [
        ("train", "music", "train/song.wav", 6.0, 10.0, 0.4),
        ("dev", "noise", "dev/jingle.wav", 0.0, 4.5, 1.0),
        ("train", "noise", "game/beep.wav", 0.0, 1.0, 1.0),
    ]
    assert rows[0].music < 0.1
    assert rows[1].music > 0.95
    assert doubtful_recordings(rows) == {("noise", "dev/jingle.wav"), ("noise", "game/beep.wav")}
    written = capsys.readouterr()
    assert "broken.wav" in written.err
    assert "music: 2 recordings, 1 doubtful stretches of 0.1 minutes, 0 recordings" in written.out
    assert main([*options, "--split", "train"]) == 0
    assert [row.recording for row in read_table(table)] == ["train/song.wav"]
