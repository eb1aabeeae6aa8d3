from pathlib import Path

import pytest

from nowplaying_core.errors import AudioFormatError, ConfigError
from pretraining.tasks.corpus import corpus_tasks, digits, speakers, wake_words
from pretraining.tasks.segments import Utterance, read_utterances
from pretraining.tasks.task import Example, Task
from tests.detector.sounds import corpus_folder

HEADER = "file\tstart_s\tend_s\tlabel\tspeaker\n"


def said(label: str, speaker: str, split: str, number: int = 0, source: str = "a/digits") -> Utterance:
    path = Path(f"{source}-{speaker}-{split}-{number}.wav")
    return Utterance(path=path, split=split, source=source, start_s=0, end_s=0.5, label=label, speaker=speaker)


def test_digits_are_asked_of_speakers_that_no_label_was_heard_from() -> None:
    spoken = [said(str(d), who, split, d) for d in range(3) for who in "abcde" for split in ("train", "dev")]
    task = digits([*spoken, said("alexa", "a", "train", 9), said("1", "", "train", 9)])
    known, asked = ({one.path.name.split("-")[1] for one in part} for part in (task.train, task.test))
    assert asked == {"a", "d"}
    assert known == {"b", "c", "e"}
    assert task.labels == ["0", "1", "2"]
    assert all("dev" in one.path.name for one in task.test)


def test_speakers_are_known_but_not_their_recordings() -> None:
    spoken = [said("1", who, split) for who in "ab" for split in ("train", "dev")]
    task = speakers([*spoken, said("1", "stranger", "dev")])
    assert task.labels == ["a", "b"]
    assert len(task.test) == 2, "a speaker without training sounds cannot be named"


def test_wake_words_are_of_one_source_and_heard_more_than_a_few_times() -> None:
    words = [
        said(word, "", split, k, "b/words") for word in ("up", "on") for split in ("train", "dev") for k in range(3)
    ]
    others = [said("seven", "", "train", k, "c/other") for k in range(5)] + [said("rare", "", "dev", 0, "b/words")]
    task = wake_words([*words, *others])
    assert task.labels == ["on", "up"]
    assert len(task.test) == 6


def test_a_task_keeps_its_parts_apart_and_has_what_to_ask() -> None:
    def example(name: str, label: str) -> Example:
        return Example(path=Path(name), label=label, unit=name)

    learnt = [example("1", "x"), example("2", "y")]
    task = Task.of("t", learnt, [example("3", "y"), example("4", "y"), example("5", "x")], parted_by="file")
    assert task.chance == pytest.approx(2 / 3)
    with pytest.raises(ConfigError, match="in both parts"):
        Task.of("t", learnt, [example("2", "y")], parted_by="file")
    with pytest.raises(ConfigError, match="two labels"):
        Task.of("t", learnt[:1], [example("3", "x")], parted_by="file")
    with pytest.raises(ConfigError, match="and 0 test sounds"):
        Task.of("t", learnt, [example("3", "z")], parted_by="file")


def test_a_corpus_gives_its_tasks(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=1.0)
    tasks = corpus_tasks(corpus)
    assert set(tasks) == {"music_speech_noise", "sound_events"}
    kinds = tasks["music_speech_noise"]()
    assert kinds.labels == ["music", "noise", "speech"]
    assert (len(kinds.train), len(kinds.test)) == (6, 6)
    with pytest.raises(ConfigError, match="sound_events"):
        tasks["sound_events"]()  # one clip of each kind
    (corpus / "speech_segments.tsv").write_text(HEADER + "0.wav\t0\t0.5\t7\tann\n")
    assert "digits" in corpus_tasks(corpus)
    (only,) = read_utterances(corpus)
    assert (only.split, only.speaker, only.end_s) == ("train", "ann", 0.5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file\tstart_s\n", "expected tab-separated columns"),
        (HEADER + "none.wav\t0\t1\t7\tann\n", "line 2.*none.wav"),
        (HEADER + "0.wav\tzero\t1\t7\tann\n", "line 2.*seconds"),
        (HEADER + "0.wav\t1\t1\t7\tann\n", "line 2.*start_s < end_s"),
        (HEADER + "0.wav\t1\tinf\t7\tann\n", "line 2.*start_s < end_s"),
    ],
)
def test_a_damaged_table_is_named_with_its_line(tmp_path: Path, table: str, message: str) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=1.0)
    (corpus / "speech_segments.tsv").write_text(table)
    with pytest.raises(AudioFormatError, match=message):
        read_utterances(corpus)


def test_a_row_that_ends_early_has_no_word_and_no_speaker(tmp_path: Path) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=1.0)
    (corpus / "speech_segments.tsv").write_text(HEADER + "0.wav\t0\t1\n")
    (only,) = read_utterances(corpus)
    assert (only.label, only.speaker) == ("", "")


def test_without_tables_each_recording_is_a_unit(tmp_path: Path) -> None:
    """A folder of all dev recordings is no source: of one unit an interval would have no width."""
    corpus = corpus_folder(tmp_path / "corpus", seconds=1.0)
    for group in ("music", "speech", "noise"):
        (corpus / f"{group}.tsv").unlink()
        for number, split in enumerate(("train", "train", "dev", "dev")):
            (corpus / group / split).mkdir(exist_ok=True)
            (corpus / group / f"{number}.wav").rename(corpus / group / split / f"{number}.wav")
    task = corpus_tasks(corpus)["music_speech_noise"]()
    wanted = {f"{group}/dev/{number}.wav" for group in ("music", "speech", "noise") for number in (2, 3)}
    assert {one.unit for one in task.test} == wanted
