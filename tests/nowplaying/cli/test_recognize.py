from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.synthesis import SAMPLE_RATE_HZ, song

from .conftest import Run

MATCH_FIELDS = {"track_id", "title", "artist", "source", "offset_s", "score"}


@pytest.fixture
def query(tmp_path: Path, songs: list[np.ndarray]) -> Path:
    """Return 8 s of song 3 from second 5, a little louder than it was indexed."""
    samples = songs[3][5 * SAMPLE_RATE_HZ : 13 * SAMPLE_RATE_HZ]
    soundfile.write(tmp_path / "query.wav", 1.2 * samples, SAMPLE_RATE_HZ)
    return tmp_path / "query.wav"


@pytest.fixture
def noise(tmp_path: Path, rng: np.random.Generator) -> Path:
    soundfile.write(tmp_path / "noise.wav", 0.1 * rng.standard_normal(9 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    return tmp_path / "noise.wav"


def test_a_known_song_is_named_at_its_place(run: Run, database: Path, query: Path) -> None:
    done = run("recognize", "--db", database, "--json", query)
    (record,) = done.records
    assert done.code == 0
    assert set(record) == {"schema", "file", "match", "latency_ms", "n_fingerprints"}
    assert (record["schema"], record["file"], record["n_fingerprints"]) == ("nowplaying/recognition/1", str(query), 12)
    match = record["match"]
    assert set(match) == MATCH_FIELDS
    assert match["title"] == "song-3"
    assert match["offset_s"] == pytest.approx(5.0, abs=0.3)
    assert 0.0 <= match["score"] <= 1.0
    assert record["latency_ms"] > 0


def test_noise_is_unknown_and_ends_with_1(run: Run, database: Path, noise: Path) -> None:
    done = run("recognize", "--db", database, "--json", noise)
    assert done.code == 1
    assert done.records[0]["match"] is None


def test_music_outside_the_database_is_unknown(run: Run, database: Path, tmp_path: Path) -> None:
    for number in range(6):
        soundfile.write(tmp_path / f"other-{number}.wav", song(90 + number, 9.0), SAMPLE_RATE_HZ)
    records = run("recognize", "--db", database, "--json", tmp_path).records
    assert [record["match"] for record in records] == [None] * 6


def test_for_people_it_prints_one_line_a_file(run: Run, database: Path, query: Path, noise: Path) -> None:
    done = run("recognize", "--db", database, query, noise)
    assert done.code == 0
    first, second = done.out.splitlines()
    assert first.startswith(f"{query}: song-3 at 0:0")
    assert second == f"{noise}: unknown"


def test_one_bad_file_is_told_and_the_rest_goes_on(run: Run, database: Path, query: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").touch()
    done = run("recognize", "--db", database, "--json", tmp_path / "bad.wav", query)
    assert done.code == 3
    bad, good = done.records
    assert (bad["match"], "empty" in bad["error"]) == (None, True)
    assert good["match"]["title"] == "song-3"
    assert str(tmp_path / "bad.wav") in done.err


def test_raw_pcm_on_standard_input(executable: Run, database: Path, songs: list[np.ndarray]) -> None:
    pcm = (songs[6][4 * SAMPLE_RATE_HZ : 12 * SAMPLE_RATE_HZ] * 32_767).astype("<i2").tobytes()
    done = executable("recognize", "--db", database, "--json", "-", stdin=pcm)
    assert done.code == 0, done.err
    assert done.records[0]["match"]["title"] == "song-6"
    assert done.records[0]["file"] == "-"


def test_silence_before_the_music_is_skipped(run: Run, database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    silence = np.zeros(20 * SAMPLE_RATE_HZ, np.float32)
    soundfile.write(tmp_path / "late.wav", np.concatenate([silence, songs[1][: 10 * SAMPLE_RATE_HZ]]), SAMPLE_RATE_HZ)
    done = run("recognize", "--db", database, "--json", tmp_path / "late.wav")
    assert done.records[0]["match"]["title"] == "song-1"


def test_at_and_every_choose_the_place(run: Run, database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    half = 10 * SAMPLE_RATE_HZ
    soundfile.write(tmp_path / "two.wav", np.concatenate([songs[2][:half], songs[5][:half]]), SAMPLE_RATE_HZ)
    at = run("recognize", "--db", database, "--json", "--at", "11", tmp_path / "two.wav").records
    assert [record["match"]["title"] for record in at] == ["song-5"]
    every = run("recognize", "--db", database, "--json", "--every", "10", tmp_path / "two.wav").records
    assert [record["match"]["title"] for record in every[:2]] == ["song-2", "song-5"]
    assert [record["at_s"] for record in every[:2]] == [0.0, 10.0]


def test_a_track_list_ends_with_the_recording(
    run: Run, database: Path, songs: list[np.ndarray], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "short.wav", songs[2][: 14 * SAMPLE_RATE_HZ], SAMPLE_RATE_HZ)
    *_, listed = run("recognize", "--db", database, "--json", "--every", "10", tmp_path / "short.wav").records
    assert listed["schema"] == "nowplaying/track-list/1"
    assert [(one["start_s"], one["end_s"]) for one in listed["songs"]] == [(0.0, 14.0)]


def test_at_and_every_exclude_each_other(run: Run, database: Path, query: Path) -> None:
    assert run("recognize", "--db", database, "--at", "1", "--every", "2", query).code == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--at", "inf"], "--at: expected seconds from 0 to 1e+09, found inf"),
        (["--every", "inf"], "--every: expected seconds above 0"),
        (["--raw-rate", "8000"], "expected the input -, found"),
    ],
)
def test_a_setting_that_is_wrong_for_every_file_is_named_once(
    run: Run, database: Path, query: Path, options: list[str], named: str
) -> None:
    done = run("recognize", "--db", database, *options, query, database.with_name("missing.wav"))
    assert done.code == 2
    assert named in done.err
    assert done.err.count("error:") == 1


def test_explain_adds_raw_values_and_nothing_else(run: Run, database: Path, query: Path) -> None:
    (record,) = run("recognize", "--db", database, "--json", "--explain", query).records
    assert set(record) == {"schema", "file", "match", "latency_ms", "n_fingerprints", "explain"}
    assert record["explain"]["candidates"]


def test_a_smallest_score_takes_the_place_of_the_models(run: Run, database: Path, noise: Path) -> None:
    def ask(min_score: float) -> dict[str, Any]:
        record: dict[str, Any] = run(
            "recognize", "--db", database, "--json", "--explain", "--min-score", str(min_score), noise
        ).records[0]
        assert record["explain"]["threshold"] == min_score
        return record

    score = ask(0.0)["explain"]["candidates"][0]["score"]
    assert 0.0 < score < 0.5, "what the model itself takes for unknown"
    assert ask(0.9 * score)["match"] is not None
    assert ask(1.1 * score)["match"] is None
    wrong = run("recognize", "--db", database, "--min-score", "1.5", noise)
    assert wrong.code == 2
    assert "--min-score" in wrong.err


def test_a_folder_stands_for_its_files(run: Run, database: Path, music_folder: Path) -> None:
    done = run("recognize", "--db", database, "--json", music_folder)
    assert done.code == 0
    assert [record["match"]["title"] for record in done.records] == [f"song-{number}" for number in range(8)]


def test_an_explanation_for_people(run: Run, database: Path, query: Path, noise: Path) -> None:
    known = run("recognize", "--db", database, "--explain", query)
    assert known.code == 0
    assert "reaches the threshold" in known.out
    assert known.out.count("song-3") >= 2
    assert "12 of 12 fingerprints" in known.out
    unknown = run("recognize", "--db", database, "--explain", noise)
    assert unknown.code == 1
    assert "is below the threshold" in unknown.out
    assert "for a clear match)" in unknown.out


def test_an_explanation_for_scripts(run: Run, database: Path, query: Path, noise: Path) -> None:
    known, unknown = run("recognize", "--db", database, "--explain", "--json", query, noise).records
    assert known["explain"]["reasons"] == []
    assert known["explain"]["candidates"][0]["score"] >= known["explain"]["threshold"]
    assert len(known["explain"]["steps"]) == known["n_fingerprints"] == 12
    assert {step["runner_up"]["title"] for step in known["explain"]["steps"] if step["runner_up"]} <= {
        f"song-{number}" for number in range(8)
    }
    assert unknown["explain"]["reasons"]
    assert all(
        set(reason) == {"measure", "value", "clear", "missing", "text"} for reason in unknown["explain"]["reasons"]
    )


def test_silence_is_explained(run: Run, database: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(9 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    done = run("recognize", "--db", database, "--explain", tmp_path / "silent.wav")
    assert "nothing above -60 dBFS" in done.out


def test_a_plot(run: Run, database: Path, query: Path, noise: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    done = run("recognize", "--db", database, "--plot", tmp_path / "a.png", query)
    assert done.code == 0
    assert (tmp_path / "a.png").read_bytes()[1:4] == b"PNG"
    assert run("recognize", "--db", database, "--plot", tmp_path / "b.png", query, noise).code == 2
    assert run("recognize", "--db", database, "--plot", tmp_path / "b.png", "--every", "5", query).code == 2
    soundfile.write(tmp_path / "silent.wav", np.zeros(9 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    silent = run("recognize", "--db", database, "--plot", tmp_path / "b.png", tmp_path / "silent.wav")
    assert "not drawn" in silent.err
    assert not (tmp_path / "b.png").exists()
