import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import cache, load, to_float32, to_int16
from nowplaying_core.audio.cache import load_cached, map_cached
from nowplaying_core.errors import AudioFormatError


@pytest.fixture
def file(tmp_path: Path, rng: np.random.Generator) -> Path:
    soundfile.write(tmp_path / "a.flac", rng.uniform(-0.5, 0.5, 30_000), 44_100)
    return tmp_path / "a.flac"


def test_second_call_reads_the_cache_and_gives_the_same(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_cached(file, tmp_path / "cache")
    np.testing.assert_array_equal(first, to_float32(to_int16(load(file))))
    monkeypatch.setattr(cache, "load", lambda _: pytest.fail("decoded again"))
    np.testing.assert_array_equal(load_cached(file, tmp_path / "cache"), first)


def test_changed_file_is_decoded_again(file: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    first = load_cached(file, tmp_path / "cache")
    soundfile.write(file, rng.uniform(-0.5, 0.5, 30_000), 44_100)
    os.utime(file, ns=(1, 1))
    assert not np.array_equal(load_cached(file, tmp_path / "cache"), first)


def test_a_name_in_no_encoding_is_kept_too(file: Path, tmp_path: Path) -> None:
    latin = file.with_name(os.fsdecode(b"caf\xe9.flac"))
    file.rename(latin)
    np.testing.assert_array_equal(load_cached(latin, tmp_path / "cache"), to_float32(to_int16(load(latin))))


def test_damaged_entry_is_replaced(file: Path, tmp_path: Path) -> None:
    first = load_cached(file, tmp_path / "cache")
    (entry,) = (tmp_path / "cache").iterdir()
    entry.write_bytes(entry.read_bytes()[:1_000])
    np.testing.assert_array_equal(load_cached(file, tmp_path / "cache"), first)
    np.testing.assert_array_equal(load_cached(file, tmp_path / "cache"), first)


def test_a_mapped_file_stays_on_disk_and_holds_the_same(file: Path, tmp_path: Path) -> None:
    for _ in range(2):  # decoded, and from the cache
        mapped = map_cached(file, tmp_path / "cache")
        assert isinstance(mapped.base, np.memmap)
        np.testing.assert_array_equal(to_float32(mapped), load_cached(file, tmp_path / "cache"))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match=r"gone\.wav"):
        load_cached(tmp_path / "gone.wav", tmp_path / "cache")
