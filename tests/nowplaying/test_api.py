"""The public API: names, laziness, and one answer however a sound is given."""

import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nowplaying
from nowplaying import IndexReport
from ondevice_db.store.store import SongDatabase
from tests.synthesis import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, music_folder: Path) -> Path:
    path = tmp_path_factory.mktemp("api") / "songs.npdb"
    report = nowplaying.index(music_folder, path, jobs=1)
    assert str(report) == "8 songs added, 0 duplicates, 0 failed, 2:40.0 of audio"
    return path


def test_the_import_is_light() -> None:
    script = """
import sys, nowplaying
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "scipy", "typer", "ondevice_db", "annoy"}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_public_name_is_there_and_documented() -> None:
    assert dir(nowplaying) == sorted(nowplaying.__all__)
    for name in nowplaying.__all__:
        thing = getattr(nowplaying, name)
        assert name == "__version__" or thing.__doc__, name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        nowplaying.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", ["index", "recognize", "detect", "listen", "simulate", "energy", "load_audio"])
def test_every_function_has_types(name: str) -> None:
    hints = typing.get_type_hints(getattr(nowplaying, name))
    assert "return" in hints
    assert len(hints) > 1


def test_path_text_and_samples_give_one_answer(database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    part = songs[3][5 * SAMPLE_RATE_HZ : 14 * SAMPLE_RATE_HZ]
    pcm = np.round(part * 32_767).astype(np.int16)
    path = tmp_path / "query.wav"
    soundfile.write(path, pcm, SAMPLE_RATE_HZ, subtype="PCM_16")
    stereo = np.stack([pcm, pcm], axis=1)
    answers = [nowplaying.recognize(one, database).match for one in (path, str(path), (stereo, SAMPLE_RATE_HZ))]
    assert {answer.title for answer in answers if answer is not None} == {"song-3"}
    assert len({repr(answer) for answer in answers}) == 1
    assert np.array_equal(nowplaying.load_audio(path), nowplaying.load_audio((pcm, SAMPLE_RATE_HZ)))


def test_samples_without_their_rate_are_refused(database: Path, songs: list[np.ndarray]) -> None:
    with pytest.raises(nowplaying.AudioFormatError, match="without a rate"):
        nowplaying.recognize(songs[3], database)  # type: ignore[arg-type]
    with pytest.raises(nowplaying.AudioFormatError, match="floats or signed integers"):
        nowplaying.load_audio((np.zeros((2, 2, 2)), SAMPLE_RATE_HZ))


def test_results_show_themselves_in_a_notebook(database: Path, songs: list[np.ndarray]) -> None:
    recognizer = nowplaying.Recognizer.open(database)
    answer = recognizer.recognize((songs[3], SAMPLE_RATE_HZ))
    assert str(answer.match).startswith("song-3 at 0:00.0 (score ")
    unknown = recognizer.recognize((np.zeros(9 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ))
    detection = nowplaying.detect((songs[3], SAMPLE_RATE_HZ))
    day = nowplaying.energy(n_days=7)
    result = nowplaying.simulate(database, (songs[3], SAMPLE_RATE_HZ))
    for thing, text in (
        (answer, "song-3"),
        (answer.match, "song-3"),
        (IndexReport(added=[], skipped=[], failed=[], n_resumed=0, seconds_of_audio=60.0, elapsed_s=1.0), "1:00.0"),
        (unknown, "unknown"),
        (recognizer.explain(answer), "reaches the threshold"),
        (detection, "probability"),
        (day, "of the battery"),
        (result, "song-3"),
    ):
        page = thing._repr_html_()
        assert text in page
        assert page.count("<table>") == page.count("</table>") == 1


def test_results_draw_themselves(database: Path, songs: list[np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the report extra")
    recognizer = nowplaying.Recognizer.open(database)
    alignment = recognizer.align(recognizer.recognize((songs[3], SAMPLE_RATE_HZ)))
    assert alignment is not None
    pictures = [
        alignment.plot(),
        nowplaying.detect((songs[3], SAMPLE_RATE_HZ)).plot(),
        nowplaying.energy(n_days=7).plot(),
    ]
    for number, picture in enumerate(pictures):
        path = tmp_path / f"{number}.png"
        picture.savefig(path)
        assert path.read_bytes()[1:4] == b"PNG"


def test_text_in_a_notebook_is_escaped() -> None:
    from nowplaying_core.text import html_table

    assert html_table(["<a>"], [["<script>"]]).count("<script>") == 0


def test_listening_yields_answers_as_they_come(database: Path, songs: list[np.ndarray]) -> None:
    evening = np.concatenate([np.zeros(5 * SAMPLE_RATE_HZ, np.float32), songs[3], songs[3][: 5 * SAMPLE_RATE_HZ]])
    titles = [answer.match and answer.match.title for answer in nowplaying.listen(database, (evening, SAMPLE_RATE_HZ))]
    assert titles == ["song-3"]


def test_simulate_takes_a_sound_or_a_scene(database: Path) -> None:
    with pytest.raises(nowplaying.ConfigError, match="either"):
        nowplaying.simulate(database)


def test_progress_of_days_counts_to_the_end() -> None:
    steps: list[tuple[int, int]] = []
    nowplaying.energy(day="silence", n_days=3, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_second_of_noisy_music_is_answered_by_the_model_for_it(tmp_path: Path, rng: np.random.Generator) -> None:
    model = "fingerprinter-onesecond-v1"
    indexed = [one for one in nowplaying.demo_recordings().values() if one.indexed][:6]
    nowplaying.index([one.path for one in indexed], tmp_path / "songs.npdb", model=model)
    stored = SongDatabase.open(tmp_path / "songs.npdb")
    assert [stored.info()[name] for name in ("hop_s", "code_bytes", "code_kind")] == [0.5, 12, "residual"]
    recognizer, first, accepted = nowplaying.Recognizer.open(tmp_path / "songs.npdb", model), [], []
    for one in indexed:
        samples = nowplaying.load_audio(one.path)
        part = samples[round(9.73 * SAMPLE_RATE_HZ) :][:SAMPLE_RATE_HZ]  # a quarter of a second beside references
        noise = rng.standard_normal(part.size).astype(np.float32)
        answer = recognizer.recognize((part + 0.3 * np.std(part) * noise, SAMPLE_RATE_HZ))
        assert answer.n_fingerprints == 7, "windows reach beyond both ends"
        assert answer.query is not None
        first.append(stored.track(answer.query.match.candidates[0].song_index).source == str(one.path))
        accepted.append(answer.match is not None)
    assert all(first)
    assert sum(accepted) >= 4
    stranger = next(one for one in nowplaying.demo_recordings().values() if one.kind == "music" and not one.indexed)
    samples = nowplaying.load_audio(stranger.path)
    for at_s in range(5, 25, 4):
        part = samples[at_s * SAMPLE_RATE_HZ :][:SAMPLE_RATE_HZ]
        assert recognizer.recognize((part, SAMPLE_RATE_HZ)).match is None


def test_files_of_a_study_are_named_by_text_too(tmp_path: Path) -> None:
    for option in ("study_file", "latencies"):
        with pytest.raises(nowplaying.NowPlayingError, match=r"none\.toml: expected"):
            nowplaying.energy(n_days=7, **{option: str(tmp_path / "none.toml")})  # type: ignore[arg-type]
