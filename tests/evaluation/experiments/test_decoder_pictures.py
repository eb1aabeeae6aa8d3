"""The picture of decoders: windows of recordings as they are, and as each decoder gives them."""

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

keras = pytest.importorskip("keras", reason="needs the train extra")
pytest.importorskip("matplotlib", reason="needs the report extra")

from evaluation.experiments.decoder_pictures import draw, rebuilt
from evaluation.experiments.decoders import CRITIC, OURS
from nowplaying_core.audio.sources import TrainingSources
from nowplaying_core.errors import ConfigError
from pretraining.config.run import EncoderConfig
from pretraining.train import pretrain
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config, small_decoder
from tests.synthesis import song

pytestmark = pytest.mark.train


def test_each_decoder_has_a_column_and_each_recording_a_row(tmp_path: Path) -> None:
    sources = TrainingSources(corpus=corpus_folder(tmp_path / "corpus", seconds=4.0), cache_dir=tmp_path / "cache")
    encoder = EncoderConfig(channels=(4, 8, 8), dim=16, pooled=False)
    sampling = small_config("diffusion_autoencoder", n_steps=1, encoder=encoder, decoder=small_decoder())
    plain = replace(sampling, decoder=small_decoder(diffusion_weight=0.0))
    for name, config in ((OURS, sampling), ("mse", plain), (CRITIC, plain)):
        pretrain(config, sources, tmp_path / f"{name}-1")
    paths = [tmp_path / name for name in ("one.wav", "two.wav")]
    for number, path in enumerate(paths):
        soundfile.write(path, 0.5 * song(number, 2.0), 16_000)
    front_end, columns = rebuilt(tmp_path, paths, 0.5, 3)
    assert [title for title, _ in columns] == ["real", "diffusion, 1 step", "diffusion, 3 steps", "mse", CRITIC]
    images = [images for _, images in columns]
    assert all(image.shape == (2, front_end.n_mels, front_end.n_frames) for image in images)
    assert len({image.tobytes() for image in images[:4]}) == 4, "no column is another's"
    draw(columns, front_end, tmp_path / "decoders.png")
    assert (tmp_path / "decoders.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"one.wav: expected 0.3 s from second 9 on, found 2.0 s"):
        rebuilt(tmp_path, paths, 9.0, 3)
