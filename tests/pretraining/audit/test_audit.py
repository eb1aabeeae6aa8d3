"""An audit from recordings to its table: with a model that stores everything, and one that stores nothing."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from nowplaying_core.settings import init_run_dir
from pretraining.audit.attack import Attack, attack
from pretraining.audit.config import AuditConfig
from pretraining.audit.dataset import AttackDataset, gather
from pretraining.audit.examples import write_examples
from pretraining.audit.intelligibility import _rate
from pretraining.audit.report import to_markdown
from pretraining.audit.run import Audit, privacy_audit
from pretraining.diffusion.patches import draw_images
from pretraining.tasks.task import Example, Task
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import interrupted_at, small_config, small_decoder

pytestmark = pytest.mark.train
FRONT_END = small_config("random").front_end
CONFIG = AuditConfig(
    n_steps=40,
    warmup_steps=2,
    images_per_step=8,
    learning_rate=1e-2,
    checkpoint_every=30,
    n_windows=64,
    sampling_steps=2,
    classifier_steps=200,
    classifier_seeds=1,
    most_windows=4,
    decoder=small_decoder(),
)


class Pooled:
    """Stands in for a fingerprinter: unit vectors of means over squares of 8 x 8, which keep what an image shows."""

    name = "pooled"
    embedding_space = "0123"
    folder = SimpleNamespace(
        manifest={"front_end": FRONT_END.to_dict(), "files": {"codebook_pq.npy": {"sha256": "0" * 64}}}
    )

    def encode(self, image: np.ndarray) -> np.ndarray:
        squares = image.reshape(1, 4, 8, 4, 8).mean(axis=(2, 4)).reshape(1, 16)
        return (squares / np.linalg.norm(squares)).astype(np.float32)


def words(root: Path) -> None:
    """Add two words, of low and of high noise, to a corpus: eight of each by two speakers in either split."""
    lines = ["file\tstart_s\tend_s\tlabel\tspeaker"]
    table = root / "speech.tsv"
    for number, (split, speaker) in enumerate((s, w) for s in ("train", "dev") for w in "abcd"):
        rng, parts = np.random.default_rng(number), []
        for turn in range(16):
            sound = 0.2 * rng.standard_normal(3_200)
            parts.append(np.cumsum(sound) / 20 if turn % 2 else np.diff(sound, prepend=0.0))
            lines.append(f"word{number}.wav\t{0.2 * turn:.1f}\t{0.2 * turn + 0.2:.1f}\t{turn % 2}\t{speaker}")
        soundfile.write(root / "speech" / f"word{number}.wav", np.clip(np.concatenate(parts), -1, 1), 16_000)
        with table.open("a", encoding="utf-8") as handle:
            handle.write(f"word{number}.wav\t{split}\t\tmade/words\tCC0-1.0\twords {number}\n")
    (root / "speech_segments.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    root = tmp_path_factory.mktemp("audit")
    corpus_folder(root / "corpus", seconds=4.0)
    words(root / "corpus")
    return TrainingSources(corpus=root / "corpus", cache_dir=root / "cache")


FORMS = {"everything": lambda rows: rows, "nothing": lambda rows: np.ones_like(rows) / 4}


@pytest.fixture(scope="module")
def audit(sources: TrainingSources, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    run = tmp_path_factory.mktemp("run")
    return privacy_audit(CONFIG, Pooled(), FORMS, sources, run)


def test_what_is_stored_can_be_rebuilt_and_what_is_not_cannot(audit: Audit) -> None:
    errors = {(row["sound"], row["made_from"]): row["error"] for row in audit.result["windows"]}
    for kind in ("music", "speech"):
        assert errors[kind, "everything, mean"]["value"] < 0.9 * errors[kind, "nothing, mean"]["value"]
        assert all(found["low"] <= found["value"] <= found["high"] for found in errors.values())
    assert {name for _, name in errors} == {
        *(f"{form}, {how}" for form in FORMS for how in ("linear", "mean", "sampled")),
        "nearest known window",
        "mean of known windows",
    }


def test_words_are_read_from_what_tells_them_and_by_chance_from_nothing(audit: Audit) -> None:
    digits, speakers = audit.result["words"]
    assert (digits["task"], digits["n_labels"], speakers["n_labels"]) == ("digits", 2, 4)
    assert digits["vectors"]["everything"]["low"] > 0.9
    assert digits["vectors"]["nothing"]["value"] == pytest.approx(digits["chance"], abs=0.01)
    assert digits["rebuilt"]["the sound itself"]["value"] > 0.9
    assert digits["rebuilt"]["nearest known window"]["value"] > 0.9
    assert digits["rebuilt"]["nothing, mean"]["value"] == pytest.approx(0.5, abs=0.01)


def test_attackers_know_no_word_of_the_speakers_on_whom_digits_are_tested(audit: Audit) -> None:
    digits, speakers = audit.result["words"]
    n_new = digits["n_asked"] // 16
    assert n_new
    assert speakers["n_known"] == 4 * 16, "classifiers of voices know them all"
    assert audit.result["n_known_words"] == (4 - n_new) * 16


def test_windows_that_were_gathered_with_other_words_are_refused(tmp_path: Path, sources: TrainingSources) -> None:
    path = tmp_path / "dataset.npz"
    gather(CONFIG, Pooled(), sources, [], path)
    with pytest.raises(ConfigError, match="holds 0 single words, expected 1"):
        gather(CONFIG, Pooled(), sources, [Example(path=path, label="0", unit="0")], path)


def test_recordings_that_an_attacker_does_not_know_are_in_no_window(sources: TrainingSources) -> None:
    config = CONFIG.sounds(FRONT_END)
    speech = [file.path for file in sources.files("speech", "train")]
    everything, some = (
        draw_images(config, sources, "train", (8,), without=left_out)[0] for left_out in ((), speech[1:])
    )
    assert np.abs(everything - some).max() > 0
    with pytest.raises(ConfigError, match="found none among 0"):
        draw_images(config, sources, "train", (8,), without=speech)


def test_accuracies_stay_within_bounds_however_seeds_differ() -> None:
    known, asked = (
        [Example(path=Path(name), label="01"[number % 2], unit=str(number)) for number in range(40)]
        for name in ("known.wav", "asked.wav")
    )
    task = Task.of("words", known, asked, parted_by="recording")
    right = np.ones((2, 40), bool)
    right[0, :6] = False
    found = _rate(right, task)
    assert (found["low"], found["high"]) == (0.0, 1.0), "two seeds that differ by 15 points say nothing"


@pytest.mark.parametrize("weight", ["diffusion_weight", "mse_weight"])
def test_a_decoder_without_a_mean_or_without_samples_is_refused(weight: str) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        replace(CONFIG, decoder=replace(CONFIG.decoder, **{weight: 0.0}))


def test_the_table_says_what_the_figures_say(audit: Audit) -> None:
    text = to_markdown(audit.result)
    assert "What fingerprints of pooled give away" in text
    row = next(row for row in audit.result["windows"] if row["made_from"] == "everything, mean")
    assert f"| everything, mean | {row['error']['value']:.2f} (" in text
    assert text.count("everything, read directly") == 1


def test_an_attack_that_was_stopped_goes_on_and_is_not_learnt_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config, rng = replace(CONFIG, n_steps=4, checkpoint_every=2), np.random.default_rng(0)
    images = rng.standard_normal((20, 32, 32, 1)).astype(np.float16)
    dataset = AttackDataset(images, rng.standard_normal((20, 16)).astype(np.float32), n_words=4)

    def learn() -> Attack:
        return attack(config, FRONT_END, dataset, dataset.vectors, tmp_path / "run")

    with interrupted_at("step 4,", "fingerprinter.training.loop", caplog):
        learn()
    parts = learn()
    assert "resuming at step 2" in caplog.messages
    caplog.clear()
    np.testing.assert_array_equal(learn().get_weights()[0], parts.get_weights()[0])
    assert caplog.messages == []


def test_other_settings_in_the_same_folder_are_refused(sources: TrainingSources, tmp_path: Path) -> None:
    init_run_dir(CONFIG, tmp_path / Pooled.embedding_space)
    with pytest.raises(ConfigError, match="other settings"):
        privacy_audit(replace(CONFIG, seed=2), Pooled(), FORMS, sources, tmp_path)


def test_a_corpus_that_leaves_nothing_unknown_is_refused_before_any_learning(
    sources: TrainingSources, tmp_path: Path
) -> None:
    for group in ("music", "speech", "noise"):
        (tmp_path / "corpus" / group).mkdir(parents=True)
        (tmp_path / "corpus" / group / "0.wav").symlink_to(sources.corpus / group / "0.wav")
    of_both = replace(sources, corpus=tmp_path / "corpus")
    with pytest.raises(ConfigError, match="is in both parts"):
        privacy_audit(CONFIG, Pooled(), FORMS, of_both, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"music": 9}, "given music: 9, not 2"),
        ({"codebook_pq.npy": "1"}, "pq.npy: 1, not 0000"),
        ({"digits": None}, "given digits: none, not "),
        ({"speakers": "0123"}, "given speakers: 0123, not "),
    ],
)
def test_other_recordings_codes_or_words_in_the_same_folder_are_refused(
    sources: TrainingSources, tmp_path: Path, given: dict[str, object], message: str
) -> None:
    folder = tmp_path / Pooled.embedding_space
    init_run_dir(CONFIG, folder)
    write_json(folder / "init.json", given)
    (folder / "dataset.npz").touch()
    with pytest.raises(ConfigError, match=message):
        privacy_audit(CONFIG, Pooled(), FORMS, sources, tmp_path)


def test_examples_are_written_to_be_listened_to(audit: Audit, sources: TrainingSources, tmp_path: Path) -> None:
    file = sources.corpus / "music" / "2.wav"
    written = write_examples([file], Pooled(), FORMS, audit.attacks, tmp_path, n_steps=2)
    made = ("log-mel", "everything-mean", "everything-sampled", "nothing-mean", "nothing-sampled")
    assert [path.name for path in written] == [f"2-{name}.ogg" for name in made]
    sounds = [soundfile.read(path)[0] for path in written]
    assert {len(sound) for sound in sounds} == {4 * FRONT_END.window_samples}
    assert all(np.abs(sound).max() > 0.2 for sound in sounds)


def test_words_are_drawn_in_their_share() -> None:
    dataset = AttackDataset(np.zeros((100, 1, 1, 1), np.float16), np.zeros((100, 4), np.float32), n_words=10)
    chosen = dataset.draw(4000, 0.25, np.random.default_rng(0))
    assert np.mean(chosen >= 90) == pytest.approx(0.25, abs=0.03)
    assert set(chosen) == set(range(100))
    none = AttackDataset(dataset.images, dataset.vectors, n_words=0)
    assert set(none.draw(4000, 0.25, np.random.default_rng(0))) == set(range(100))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_windows": 0}, "positive"),
        ({"words_share": 1.0}, "words_share"),
        ({"seed": -1}, "seed must lie in"),
        ({"seed": 2**32}, "seed must lie in"),
        ({"music_share": 0.8, "speech_share": 0.4}, "shares of one"),
        ({"decoder": small_decoder(perceptual_weight=0.1)}, "set the other weights to 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(CONFIG, **changes)


def test_settings_come_back_as_they_were_written() -> None:
    assert AuditConfig.from_dict(CONFIG.to_dict()) == CONFIG
