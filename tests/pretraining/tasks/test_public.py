from pathlib import Path

import pytest

from nowplaying_core.errors import ConfigError
from pretraining.tasks.public import COLLECTIONS
from pretraining.tasks.registry import open_tasks


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def parts(name: str, folder: Path) -> tuple[list[str], list[str]]:
    task = COLLECTIONS[name](folder)
    learnt, asked = ([f"{one.label}:{one.unit}" for one in part] for part in (task.train, task.test))
    return learnt, asked


def test_esc50_asks_about_its_fifth_fold(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    rows = ["filename,fold,category,src_file", "1-7-A-0.wav,1,dog,7", "2-8-A-1.wav,2,rain,8", "5-9-A-0.wav,5,dog,9"]
    (tmp_path / "meta" / "esc50.csv").write_text("\n".join(rows))
    assert parts("esc50", tmp_path) == (["dog:7", "rain:8"], ["dog:9"])


def test_speech_commands_follow_their_lists(tmp_path: Path) -> None:
    touch(tmp_path, "up/aa_nohash_0.wav", "on/bb_nohash_0.wav", "up/cc_nohash_1.wav", "on/dd_nohash_0.wav")
    touch(tmp_path, "_background_noise_/rain.wav")
    (tmp_path / "testing_list.txt").write_text("up/cc_nohash_1.wav\n")
    (tmp_path / "validation_list.txt").write_text("on/dd_nohash_0.wav\n")
    assert parts("speech_commands", tmp_path) == (["on:bb", "up:aa"], ["up:cc"])


def test_nsynth_names_tell_families_and_instruments(tmp_path: Path) -> None:
    touch(tmp_path, "nsynth-train/audio/bass_synthetic_033-022-050.wav")
    touch(tmp_path, "nsynth-train/audio/synth_lead_synthetic_001-022-050.wav")
    touch(tmp_path, "nsynth-test/audio/bass_electronic_018-030-127.wav")
    learnt, asked = parts("nsynth", tmp_path)
    assert learnt == ["bass:bass_synthetic_033", "synth_lead:synth_lead_synthetic_001"]
    assert asked == ["bass:bass_electronic_018"]


def test_librispeech_asks_about_a_chapter_that_was_not_heard(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{who}/{chapter}/{who}-{chapter}-0.flac" for who in (19, 26) for chapter in (198, 227)))
    touch(tmp_path, "40/1/40-1-0.flac")
    assert parts("librispeech", tmp_path) == (["19:198", "26:198"], ["19:227", "26:227"])


@pytest.mark.parametrize(("name", "labels"), [("musan", ("music", "speech", "noise")), ("gtzan", ("blues", "rock"))])
def test_a_collection_without_parts_is_parted_by_name_alike_everywhere(
    tmp_path: Path, name: str, labels: tuple[str, ...]
) -> None:
    touch(tmp_path, *(f"{label}/x/{label}-{n}.wav" if name == "musan" else f"{label}/{label}-{n}.wav"
                      for label in labels for n in range(40)))  # fmt: skip
    learnt, asked = parts(name, tmp_path)
    assert 0.1 < len(asked) / (len(learnt) + len(asked)) < 0.3
    again = COLLECTIONS[name](tmp_path)
    assert [one.unit for one in again.test] == [one.split(":")[1] for one in asked]


@pytest.mark.parametrize("name", sorted(COLLECTIONS))
def test_an_empty_folder_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path.name}|{name}"):
        COLLECTIONS[name](tmp_path)


def test_tasks_are_chosen_and_mistakes_named(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{genre}/{genre}-{n}.wav" for genre in ("blues", "rock") for n in range(40)))
    (task,) = open_tasks(corpus=None, public=[f"gtzan={tmp_path}"], names=[])
    assert task.name == "gtzan"
    for public, names, message in (
        (["gtzan"], [], "NAME=FOLDER"),
        ([f"imagenet={tmp_path}"], [], "esc50"),
        ([f"gtzan={tmp_path}"], ["digits"], "digits"),
        ([f"gtzan={tmp_path}", f"esc50={tmp_path}"], ["gtzan"], "--public esc50: no --task asks for it"),
        ([f"gtzan={tmp_path}", "gtzan=other"], [], "one folder of gtzan"),
        ([], [], "no task"),
        ([f"esc50={tmp_path}"], [], "esc50.csv"),
    ):
        with pytest.raises(ConfigError, match=message):
            open_tasks(corpus=None, public=public, names=names)
