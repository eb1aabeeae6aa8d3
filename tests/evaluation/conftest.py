from pathlib import Path

import numpy as np
import pytest
import soundfile

from nowplaying_core.audio import SAMPLE_RATE_HZ
from tests.synthesis import song


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a small corpus in the shape of the large one."""
    root = tmp_path / "corpus"
    rows = {"music": [], "noise": [], "speech": []}
    generator = np.random.default_rng(4)
    for number in range(9):
        split = "train" if number < 4 else "dev" if number < 7 else "unknown"
        rows["music"].append((f"{number}.wav", split, song(number + 300, 12.0)))
    rows["noise"] = [(f"{split}.wav", split, 0.1 * generator.standard_normal(48_000)) for split in ("train", "dev")]
    rows["speech"] = [(f"{split}.wav", split, 0.1 * np.sin(np.arange(150_000) ** 1.2)) for split in ("train", "dev")]
    for group, files in rows.items():
        (root / group).mkdir(parents=True)
        for name, _, samples in files:
            soundfile.write(root / group / name, samples, SAMPLE_RATE_HZ)
        lines = ["file\tsplit", *(f"{name}\t{split}" for name, split, _ in files)]
        (root / f"{group}.tsv").write_text("\n".join(lines) + "\n")
    return root
