"""Run the shipped models on made sound: record what LiteRT answers, compare what tflite-runtime answers.

Imports NumPy and a runtime only, because nothing else of the project's dependencies is needed to run a model.
"""

import json
import sys
from pathlib import Path

import numpy as np

from fingerprinter.fingerprint import Fingerprinter
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel, installed_runtimes
from pretraining.tflite_encoder import TfliteEncoder

MODELS = Path(__file__).resolve().parents[1] / "models"
LEAST_COSINE = 0.99  # between embeddings: the runtimes round int8 sums differently; float to int8 loses as much
MOST_STEPS = 2  # of 256, between int8 outputs


def sound() -> np.ndarray:
    """Return 20 s of gliding chords in noise, float32."""
    rng, time_s = np.random.default_rng(7), np.arange(20 * 16_000) / 16_000
    glides = [np.sin(2 * np.pi * (low * time_s + rate * time_s**2)) for low, rate in rng.uniform(20, 300, (6, 2))]
    return (0.08 * np.sum(glides, axis=0) + 0.01 * rng.standard_normal(len(time_s))).astype(np.float32)


def answers(models: Path) -> dict[str, np.ndarray]:
    """Return the answers of each model of a folder, by name."""
    found = {}
    for manifest in sorted(models.glob("*/manifest.json")):
        name, role = manifest.parent.name, json.loads(manifest.read_text())["role"]
        folder = ModelFolder.open(manifest.parent, role=role)
        if role == "fingerprinter":
            model = Fingerprinter(folder)
            found[name] = model.embed(sound(), model.query_hop_s)
            continue
        if role == "audio_encoder":
            encoder = TfliteEncoder(manifest.parent)
            embeddings = encoder.embed(sound()[: 20 * encoder.window_samples].reshape(20, -1))
            found[name] = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
            continue
        for file in sorted(folder.manifest["files"]):
            if file.endswith(".tflite"):
                # Reference kernels: what the delegates round differs from one processor to the next.
                graph = TfliteModel(folder.file(file), reference_kernels=True)
                rng = np.random.default_rng(7)
                draws = [[rng.integers(-128, 128, one.shape, dtype=np.int8) for one in graph.inputs] for _ in range(16)]
                found[f"{name}/{file}"] = np.stack([graph.run_all(values)[0] for values in draws])
    return found


def main(verb: str, record: str, models: str = str(MODELS)) -> int:
    """Record or compare; return the exit code."""
    found = answers(Path(models))
    if verb == "record":
        np.savez(record, **found)
        return 0
    code = 0
    with np.load(record, allow_pickle=False) as expected:
        for name, answer in found.items():
            reference = expected[name]
            if np.issubdtype(answer.dtype, np.integer):
                steps = int(np.abs(answer.astype(int) - reference.astype(int)).max())
                is_equal, text = steps <= MOST_STEPS, f"{steps} steps of 256 at most"
            else:
                cosine = float(np.sum(answer * reference, axis=1).min())
                is_equal, text = cosine >= LEAST_COSINE, f"cosine {cosine:.6f} at least"
            code |= not is_equal
            sys.stdout.write(f"{installed_runtimes()[0]}: {name}: {text} ({'equal' if is_equal else 'DIFFERS'})\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
