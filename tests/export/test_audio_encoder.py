"""A pretrained encoder becomes a model folder whose int8 form answers like the float one."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

keras = pytest.importorskip("keras", reason="the train extra is not installed")

from evaluation.model_card import CARD_NAME, METRICS_NAME
from export.audio_encoder import LEAST_COSINE, export_audio_encoder, publish_audio_encoder, sample_images
from nowplaying.cli.main import app
from nowplaying_core.artifacts import write_json
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError, CorruptArtifactError, ParityError
from nowplaying_core.manifest import ModelFolder
from pretraining.config.codes import CodeConfig
from pretraining.config.run import MethodConfig
from pretraining.encoder import WEIGHTS_NAME, build_encoder, embed, load_encoder
from pretraining.tasks.midi import is_test_score
from pretraining.tflite_encoder import TfliteEncoder
from pretraining.train import pretrain
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> TrainingSources:
    root = tmp_path_factory.mktemp("encoders")
    return TrainingSources(corpus=corpus_folder(root / "corpus", seconds=4.0), cache_dir=root / "cache")


@pytest.fixture(scope="module")
def run(sources: TrainingSources) -> Path:
    folder = sources.cache_dir / "run"
    pretrain(small_config("autoencoder", n_steps=20, warmup_steps=1), sources, folder)
    return folder


@pytest.fixture(scope="module")
def shipped(sources: TrainingSources, run: Path) -> Path:
    folder = sources.cache_dir / "encoder"
    arguments = {"run-dir": run, "out": folder, "corpus": sources.corpus, "cache-dir": sources.cache_dir}
    options = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    result = CliRunner().invoke(
        app, ["publish", "encoder", *options, "--task", "music_speech_noise", "--name", "tiny"], catch_exceptions=False
    )
    assert result.exit_code == 0
    assert result.stdout.strip() == str(folder)
    return folder


def test_the_folder_is_whole_and_its_encoder_answers_like_the_runs(
    shipped: Path, run: Path, sources: TrainingSources, rng: np.random.Generator
) -> None:
    manifest = ModelFolder.open(shipped, role="audio_encoder").manifest
    assert manifest["parity"]["mean_cosine"] > LEAST_COSINE
    assert manifest["encoder"]["n_macs"] > 0
    assert (shipped / WEIGHTS_NAME).read_bytes() == (run / WEIGHTS_NAME).read_bytes()
    config, encoder = load_encoder(run)
    assert TfliteEncoder(shipped).config == config
    _, images = sample_images(config, sources)
    wanted, found = embed(encoder, images), embed(TfliteEncoder(shipped), images)
    step = np.abs(wanted).max() / 127
    assert np.median(np.abs(wanted - found)) < 2 * step
    sounds = (0.1 * rng.standard_normal((2, config.front_end.window_samples))).astype(np.float32)
    assert TfliteEncoder(shipped).embed(sounds).shape == (2, config.encoder.dim)


def test_metrics_hold_both_forms_and_the_card_is_made_of_them(shipped: Path) -> None:
    metrics = json.loads((shipped / METRICS_NAME).read_text())
    assert {row["method"] for row in metrics["results"]} == {"tiny", "autoencoder"}
    assert all(set(row["minus"]) <= {"tiny", "autoencoder"} for row in metrics["means"])
    card = (shipped / CARD_NAME).read_text()
    assert "learnt by `autoencoder`" in card
    assert "| tiny |" in card
    assert "int8 to float on 256 windows" in card


def test_converting_twice_gives_the_same_bytes(run: Path, sources: TrainingSources, tmp_path: Path) -> None:
    config, encoder = load_encoder(run)
    images = sample_images(config, sources)
    about = {"name": "tiny", "version": "1.0.0", "training": {}}
    folders = [export_audio_encoder(config, encoder, images, tmp_path / name, **about) for name in ("first", "again")]
    assert len({hashlib.sha256((folder / "encoder.tflite").read_bytes()).hexdigest() for folder in folders}) == 1


def test_an_int8_encoder_that_answers_differently_is_not_written(
    run: Path, sources: TrainingSources, tmp_path: Path
) -> None:
    config, encoder = load_encoder(run)
    calibration, others = sample_images(config, sources)
    with pytest.raises(ParityError, match="mean cosine"):
        # Ranges set on near silence: everything else saturates.
        export_audio_encoder(
            config, encoder, (0.01 * calibration, others), tmp_path / "bad", name="bad", version="1.0.0", training={}
        )
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize("method", ["kmeans_codes", "binary_codes"])
def test_codes_and_bits_have_no_int8_form(sources: TrainingSources, tmp_path: Path, method: str) -> None:
    codes = CodeConfig(n_codes=4, n_fitted=4, dim=16, n_layers=1, n_heads=2)
    config = small_config(method, codes=codes, objective=MethodConfig(clip_s=0.64))
    write_json(tmp_path / "config.json", config.to_dict())
    build_encoder(config).save_weights(tmp_path / WEIGHTS_NAME)
    with pytest.raises(ConfigError, match=f"expected an encoder of convolutions, found {method}"):
        publish_audio_encoder(tmp_path, tmp_path / "model", sources, name="tiny")
    assert not (tmp_path / "model").exists()


def test_a_model_records_the_recordings_that_its_run_was_given(
    sources: TrainingSources, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "music").symlink_to(sources.corpus / "music")
    other = replace(sources, extra_data=tmp_path / "extra")
    with pytest.raises(ConfigError, match="this run was given extra music: 0, not 4"):
        publish_audio_encoder(run, tmp_path / "model", other, name="tiny")
    assert not (tmp_path / "model").exists()


def test_a_card_has_no_task_that_tests_with_what_was_learned(
    sources: TrainingSources, run: Path, tmp_path: Path
) -> None:
    name = next(f"{number}.mid" for number in range(20) if is_test_score(Path(f"{number}.mid")))
    for path in (tmp_path / "scores" / name, tmp_path / "rendered" / f"scores-{Path(name).stem}.wav"):
        path.parent.mkdir()
        path.touch()
    folders = {"--run-dir": run, "--out": tmp_path / "model", "--rendered-midi": tmp_path / "rendered"}
    places = {"--corpus": sources.corpus, "--cache-dir": sources.cache_dir, "--midi": tmp_path / "scores"}
    options = [str(part) for pair in {**folders, **places, "--soundfont": "font.sf2"}.items() for part in pair]
    result = CliRunner().invoke(app, ["publish", "encoder", *options])
    assert "expected no music of the scores that tasks are tested with" in str(result.exception)


def test_a_baseline_that_cannot_be_probed_is_refused_before_a_model_is_written(
    sources: TrainingSources, run: Path, tmp_path: Path
) -> None:
    config = small_config("random")
    pretrain(replace(config, front_end=replace(config.front_end, clip=3.0)), sources, tmp_path / "other")
    options = ["--corpus", str(sources.corpus), "--cache-dir", str(sources.cache_dir), "--task", "music_speech_noise"]
    folders = ["--run-dir", str(run), "--out", str(tmp_path / "model"), "--baseline", str(tmp_path / "other")]
    result = CliRunner().invoke(app, ["publish", "encoder", *folders, *options])
    assert isinstance(result.exception, ConfigError)
    assert "front end" in str(result.exception)
    assert not (tmp_path / "model").exists()


def test_a_graph_of_another_encoder_is_refused(shipped: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    changed.mkdir()
    for file in shipped.iterdir():
        (changed / file.name).write_bytes(file.read_bytes())
    content = bytearray((changed / "encoder.tflite").read_bytes())
    content[-1] ^= 1
    (changed / "encoder.tflite").write_bytes(content)
    with pytest.raises(CorruptArtifactError):
        TfliteEncoder(changed)


def test_the_audio_encoder_at_full_size_fits_a_phone(tmp_path: Path, rng: np.random.Generator) -> None:
    from pretraining.config.run import PretrainingConfig
    from pretraining.methods.random import random_encoder

    config = replace(PretrainingConfig(method="random"), seed=3)
    images = rng.standard_normal((2, 32, 64, 96, 1)).astype(np.float32)
    folder = export_audio_encoder(
        config,
        random_encoder(config),
        (images[0], images[1]),
        tmp_path / "full",
        name="full",
        version="1.0.0",
        training={},
    )
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["files"]["encoder.tflite"]["bytes"] < 200_000
    assert 2e6 < manifest["encoder"]["n_macs"] < 2e7
