"""Generated sound for detector tests, the same for the same seed."""

import numpy as np

__all__ = ["corpus_folder", "noise", "pcm"]

RATE_HZ = 16_000


def noise(seed: int, duration_s: float, level: float = 0.1) -> np.ndarray:
    """Return white noise as float32 in [-1, 1]."""
    samples = np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ))
    return np.clip(level * samples, -1, 1).astype(np.float32)


def pcm(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples."""
    return np.rint(samples * 32_767).astype(np.int16)


def corpus_folder(root, *, seconds: float = 12.0):
    """Write a corpus of generated sound with tables and both splits."""
    import soundfile

    from tests.synthesis import song

    for group in ("music", "noise", "speech", "rir"):
        (root / group).mkdir(parents=True)
        lines = ["file\tsplit\tlabel\tsource\tlicence\ttitle_artist"]
        for number, split in enumerate(("train", "train", "dev", "dev")):
            if group == "music":
                samples = song(number, seconds)
            elif group == "rir":
                samples = noise(number, 0.3) * np.exp(-np.arange(4_800) / 800).astype(np.float32)
            else:
                samples = noise(10 * number + len(group), seconds)
                if group == "speech":
                    samples *= (np.arange(samples.size) // 4_000 % 2).astype(np.float32)
            soundfile.write(root / group / f"{number}.wav", samples, RATE_HZ)
            lines.append(f"{number}.wav\t{split}\tkind{number}\tmade/{group}\tCC0-1.0\t{group} {number}")
        (root / f"{group}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
