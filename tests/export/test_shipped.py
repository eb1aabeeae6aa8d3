"""The shipped int8 encoder against the shipped float weights, on music, clean and in noise."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="the train extra is not installed")

import simulator
from export.parity.report import TOLERANCES
from fingerprinter.config import EncoderConfig, FrontEndConfig
from fingerprinter.encoders.registry import build_encoder
from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.audio import load

pytestmark = pytest.mark.train
EXCERPTS = sorted((Path(simulator.__file__).parent / "scenes/demo_assets").glob("*.opus"))


def test_int8_keeps_what_was_trained(rng: np.random.Generator) -> None:
    """Mean cosine 0.9995 when it was exported; the tolerances are those of the export's verification.

    A random network is no test of this: see docs/experiments.md.
    """
    shipped = Fingerprinter.from_model()
    manifest = shipped.folder.manifest
    settings = {
        name: value for name, value in manifest["encoder"].items() if name in EncoderConfig.__dataclass_fields__
    }
    if "channels" in settings:
        settings["channels"] = tuple(settings["channels"])
    encoder = build_encoder(EncoderConfig(**settings), FrontEndConfig(**manifest["front_end"]))
    encoder.load_weights(shipped.folder.path / "encoder.weights.h5")
    cosines = []
    for path in EXCERPTS:
        samples = load(path)
        start = samples.size // 2
        window = samples[start : start + shipped.window_samples]
        noisy = window + 0.5 * window.std() * rng.standard_normal(window.size).astype(np.float32)
        for part in (window, noisy):
            image = shipped.front_end(part[None])
            cosines.append(float((shipped.encode(image) * np.asarray(encoder(image))).sum()))
    assert np.mean(cosines) >= TOLERANCES["int8 to float, mean cosine"].limit
    assert min(cosines) >= TOLERANCES["int8 to float, lowest cosine"].limit
