"""Every song of a database finds itself, also where it is another encoding of another one."""

from pathlib import Path

import numpy as np
import pytest

from ondevice_db.verify import verify_database
from tests.ondevice_db.material import build_database, worsen


@pytest.mark.parametrize("layout", ["pq", "flat"])
def test_copies_of_a_recording_are_found(layout: str, song_vectors: list[np.ndarray], tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    songs = song_vectors[:6]
    songs += [worsen(rng, song, 0.1) for song in songs]
    report = verify_database(build_database(tmp_path / "copies.npdb", songs, layout=layout))
    assert (report.n_found, report.not_found) == (12, ())


def test_verify_finds_every_song(music_database: Path) -> None:
    report = verify_database(music_database)
    assert (report.n_songs, report.n_found, report.not_found) == (8, 8, ())
    assert report.to_dict()["n_bytes"] == sum(path.stat().st_size for path in music_database.iterdir())
    assert "8 of 8 songs" in str(report)
