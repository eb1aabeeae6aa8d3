"""Sounds and containers that the cases are made of, with ffmpeg and sox where NumPy cannot write them."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.synthesis import SAMPLE_RATE_HZ, song

__all__ = ["SAMPLE_RATE_HZ", "encode", "join", "music", "need", "seconds", "wav"]


def need(tool: str) -> None:
    """Skip where a tool is not installed; CI installs it and refuses skips."""
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")


def music(seed: int = 0, duration_s: float = 10.0) -> np.ndarray:
    """Return music of a given length."""
    return song(seed, duration_s)


def wav(path: Path, samples: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ, subtype: str = "PCM_16") -> Path:
    """Write a WAV file and return its path."""
    soundfile.write(path, samples, rate_hz, subtype=subtype, format="WAV")
    return path


def encode(source: Path, target: Path, *options: str) -> Path:
    """Encode a file with ffmpeg and return the new one."""
    need("ffmpeg")
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), *options, str(target)]
    subprocess.run(command, check=True)
    return target


def join(target: Path, *parts: Path) -> Path:
    """Write files one behind the other, as ``cat`` does."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def seconds(samples: np.ndarray) -> float:
    """Return the duration of 16 kHz samples."""
    return len(samples) / SAMPLE_RATE_HZ
