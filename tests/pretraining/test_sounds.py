from pathlib import Path

import pytest

from nowplaying_core.audio.sources import TrainingSources
from pretraining.sounds import clip_sampler, group_shares
from tests.detector.sounds import corpus_folder
from tests.pretraining.material import small_config


@pytest.mark.parametrize("speech", [0.1, 0.2, 0.3, 0.4])
def test_shares_of_one_leave_nothing_over(speech: float) -> None:
    """1 - 0.8 - 0.2 is -6e-17, which no generator takes for a probability."""
    shares = [share for _, share in group_shares(small_config("cola", music_share=1 - speech, speech_share=speech))]
    assert min(shares) >= 0
    assert sum(shares) == pytest.approx(1.0)


def test_rendered_music_is_of_the_training_split(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    corpus = corpus_folder(tmp_path / "corpus", seconds=2.0)
    sources = TrainingSources(corpus=corpus, cache_dir=tmp_path / "cache", rendered_midi=corpus)
    found = {}
    for split in ("train", "dev"):
        caplog.clear()
        with caplog.at_level("INFO"):
            clip_sampler(small_config("cola"), sources, split=split)
        found[split] = [int(line.split()[0]) for line in caplog.messages if "recordings" in line]
    assert found == {"train": [2, 2, 2, 4], "dev": [2, 2, 2]}
