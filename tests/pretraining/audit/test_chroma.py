import numpy as np
import pytest

from fingerprinter.config import FrontEndConfig
from fingerprinter.mel import log_mel_reference
from pretraining.audit.chroma import chroma, chroma_agreement, strongest_agreement

FRONT_END = FrontEndConfig()
NOTES = (72, 74, 76, 77, 79, 81)  # C5, D5, E5, F5, G5, A5


def tune(notes: tuple[int, ...], timbre: float = 0.5) -> np.ndarray:
    time_s = np.arange(FRONT_END.window_samples) / 16_000
    each = np.array_split(np.arange(len(time_s)), len(notes))
    samples = np.zeros(len(time_s))
    for places, note in zip(each, notes, strict=True):
        hz = 440.0 * 2 ** ((note - 69) / 12)
        samples[places] = np.sin(2 * np.pi * hz * time_s[places]) + timbre * np.sin(4 * np.pi * hz * time_s[places])
    return log_mel_reference(samples.astype(np.float32), FRONT_END)[..., None]


def test_the_strongest_class_is_the_note_that_sounds() -> None:
    images = np.stack([tune((note,) * 2) for note in NOTES])
    strongest = chroma(images, FRONT_END).argmax(axis=1)
    right = [np.mean(row == note % 12) for row, note in zip(strongest, NOTES, strict=True)]
    assert np.mean(right) > 0.8


def test_the_same_tune_in_another_timbre_agrees_and_another_tune_does_not() -> None:
    rng = np.random.default_rng(0)
    tunes = [tuple(rng.choice(NOTES, 6)) for _ in range(8)]
    a = chroma(np.stack([tune(notes) for notes in tunes]), FRONT_END)
    b = chroma(np.stack([tune(notes, timbre=0.2) for notes in tunes]), FRONT_END)
    assert chroma_agreement(a, a) == pytest.approx(np.ones(8))
    assert chroma_agreement(a, b).mean() > 0.7
    assert abs(chroma_agreement(a, np.roll(b, 1, axis=0)).mean()) < 0.35
    assert strongest_agreement(a, b).mean() > 0.7 > strongest_agreement(a, np.roll(b, 1, axis=0)).mean() + 0.3


def test_what_sounds_the_same_in_every_window_is_no_melody() -> None:
    rng = np.random.default_rng(1)
    falling = np.linspace(2, -2, FRONT_END.n_mels)[None, :, None, None]
    a, b = (falling + 0.1 * rng.standard_normal((30, FRONT_END.n_mels, FRONT_END.n_frames, 1)) for _ in range(2))
    agreement = chroma_agreement(chroma(a.astype(np.float32), FRONT_END), chroma(b.astype(np.float32), FRONT_END))
    assert abs(agreement.mean()) < 0.1
