from pathlib import Path

from nowplaying_core.audio import find_audio


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_in_order_by_extension(tmp_path: Path) -> None:
    make(tmp_path, "b.MP3", "a.wav", "sub/c.flac", "notes.txt", "cover.jpg")
    assert find_audio([tmp_path]) == [tmp_path / "a.wav", tmp_path / "b.MP3", tmp_path / "sub/c.flac"]


def test_named_files_are_kept_whatever_they_are(tmp_path: Path) -> None:
    make(tmp_path, "music.bin")
    assert find_audio([tmp_path / "music.bin", tmp_path / "gone.wav"]) == [
        tmp_path / "music.bin",
        tmp_path / "gone.wav",
    ]


def test_each_file_once_and_hidden_ones_never(tmp_path: Path) -> None:
    make(tmp_path, "a.wav", "._a.wav", ".trash/b.wav")
    assert find_audio([tmp_path / "a.wav", tmp_path]) == [tmp_path / "a.wav"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    make(tmp_path, "a.wav")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert find_audio([tmp_path]) == [tmp_path / "a.wav"]


def test_nothing_found_is_an_empty_list(tmp_path: Path) -> None:
    assert find_audio([tmp_path]) == []
