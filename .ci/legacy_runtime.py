"""Run every shipped graph on seeded input: record its output under LiteRT, compare under tflite-runtime."""

import sys
from pathlib import Path

import numpy as np

from nowplaying.runtime import TfliteModel, installed_runtimes

MODELS = Path(__file__).resolve().parents[1] / "models"
N_RUNS = 8
MAX_STEPS = 1  # of an int8 output: the runtimes' float kernels may round a tie differently
MAX_FLOAT_ERROR = 2e-3


def outputs(path: Path) -> np.ndarray:
    """Return a graph's outputs for seeded inputs over the input's whole range."""
    model, rng = TfliteModel(path), np.random.default_rng(7)
    results = []
    for _ in range(N_RUNS):
        if np.issubdtype(model.input.dtype, np.integer):
            limits = np.iinfo(model.input.dtype)
            values = rng.integers(limits.min, limits.max, model.input.shape, endpoint=True, dtype=model.input.dtype)
        else:
            values = (0.1 * rng.standard_normal(model.input.shape)).astype(model.input.dtype)
        results.append(model.run(values))
    return np.stack(results)


def main(verb: str, record: str) -> int:
    """Record or compare all graphs; return the exit code."""
    graphs = sorted(MODELS.glob("*/*.tflite"))
    found = {f"{path.parent.name}/{path.name}": outputs(path) for path in graphs}
    if verb == "record":
        np.savez(record, **found)
        return 0
    worst_code = 0
    with np.load(record, allow_pickle=False) as expected:
        for name, output in found.items():
            error = float(np.abs(output.astype(np.float64) - expected[name].astype(np.float64)).max())
            limit = MAX_STEPS if np.issubdtype(output.dtype, np.integer) else MAX_FLOAT_ERROR
            verdict = "equal" if error <= limit else "DIFFERS"
            worst_code |= error > limit
            sys.stdout.write(f"{installed_runtimes()[0]}: {name}: largest difference {error:.2e} ({verdict})\n")
    return int(worst_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
