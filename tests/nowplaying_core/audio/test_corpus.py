from pathlib import Path

import pytest

from nowplaying_core.audio.corpus import read_corpus, recordings_if_any
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import AudioFormatError, ConfigError, MissingPathError


def make_corpus(root: Path) -> Path:
    (root / "noise" / "a").mkdir(parents=True)
    for name in ("a/one.opus", "a/two.wav", "b.flac"):
        (root / "noise" / name).write_bytes(b"x")
    (root / "noise.tsv").write_text(
        "file\tsplit\tlabel\tsource\tlicence\ttitle_artist\n"
        'a/one.opus\ttrain\train\tme/rain\tCC0\tMe - "Rain\n'
        "a/two.wav\tdev\t\tme/wind\tCC-BY\t\n"
        "b.flac\ttrain\n",
        encoding="utf-8",
    )
    return root


def test_reads_a_split_in_table_order(tmp_path: Path) -> None:
    files = read_corpus(make_corpus(tmp_path), "noise", "train")
    assert [file.path.name for file in files] == ["one.opus", "b.flac"]
    assert files[0].label == "rain"
    assert files[0].title == 'Me - "Rain'
    assert files[0].licence == "CC0"
    assert files[1].source == "noise"


def test_without_a_split_reads_all(tmp_path: Path) -> None:
    files = read_corpus(make_corpus(tmp_path), "noise")
    assert [file.split for file in files] == ["train", "dev", "train"]
    assert files[1].title == "two"


def test_folder_without_a_table_serves_every_split(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("z.WAV", "deep/a.mp3", "note.txt"):
        (tmp_path / name).write_bytes(b"x")
    files = read_corpus(tmp_path, "music", "train")
    assert [file.path.name for file in files] == ["a.mp3", "z.WAV"]
    assert all(file.split is None for file in files)


def test_folders_without_tables_are_groups_and_splits(tmp_path: Path) -> None:
    for name in ("music/dev/a.wav", "music/unknown/x/dev/b.wav", "music/c.wav", "noise/d.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    splits = {file.path.name: file.split for file in read_corpus(tmp_path, "music")}
    assert splits == {"a.wav": "dev", "b.wav": "unknown", "c.wav": None}
    assert [file.path.name for file in read_corpus(tmp_path, "music", "dev")] == ["c.wav", "a.wav"]
    assert recordings_if_any(tmp_path, "noise", "dev")
    assert not recordings_if_any(tmp_path, "rir", "dev")
    with pytest.raises(ConfigError, match="speech"):
        read_corpus(tmp_path, "speech")


def test_rir_kind_is_its_label(tmp_path: Path) -> None:
    (tmp_path / "rir").mkdir()
    (tmp_path / "rir" / "hall.flac").write_bytes(b"x")
    (tmp_path / "rir.tsv").write_text("file\tsplit\tkind\nhall.flac\ttrain\troom\n", encoding="utf-8")
    assert read_corpus(tmp_path, "rir", "train")[0].label == "room"


def test_missing_file_is_named(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    (tmp_path / "noise" / "b.flac").unlink()
    with pytest.raises(AudioFormatError, match=r"line 4.*b\.flac"):
        read_corpus(tmp_path, "noise")


def test_bad_header_and_empty_split_and_missing_folder(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    with pytest.raises(ConfigError, match="unknown"):
        read_corpus(tmp_path, "noise", "unknown")
    with pytest.raises(ConfigError, match="corpus folder"):
        read_corpus(tmp_path / "nowhere", "noise")
    with pytest.raises(ConfigError, match="one of"):
        read_corpus(tmp_path, "birds")  # type: ignore[arg-type]
    (tmp_path / "noise.tsv").write_text("name,split\n", encoding="utf-8")
    with pytest.raises(AudioFormatError, match="columns"):
        read_corpus(tmp_path, "noise")


def test_a_folder_of_extra_recordings_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    for name in ("extra", "gone"):
        sources = TrainingSources(corpus=tmp_path, cache_dir=tmp_path, extra_data=tmp_path / name)
        with pytest.raises(MissingPathError, match=f"{name}: expected a folder with any of music, noise"):
            sources.extra_files("music")
    (tmp_path / "extra" / "noise").mkdir()
    assert (
        TrainingSources(corpus=tmp_path, cache_dir=tmp_path, extra_data=tmp_path / "extra").extra_files("music") == []
    )
