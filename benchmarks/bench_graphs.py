"""Time one run of every shipped graph in LiteRT: ``python -m benchmarks.bench_graphs``.

The Android core's own interpreter is timed by ``org.nowplaying.core.GraphTimes``, which prints the same fields.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from nowplaying_core.artifacts import SHIPPED_DETECTOR, builtin_model_dir
from nowplaying_core.command import run_command
from nowplaying_core.runtime import TfliteModel

__all__ = ["main", "time_graph"]

_WARM_UP: Final = 20


def main(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Print one JSON object for each graph and each set of kernels, and return them."""
    parser = argparse.ArgumentParser(description="Time one run of every shipped graph in LiteRT, on one thread.")
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args(arguments)
    found = []
    for path in sorted(builtin_model_dir(SHIPPED_DETECTOR).parent.glob("*/*.tflite")):
        for reference_kernels in (False, True):
            record = time_graph(path, options.runs, reference_kernels=reference_kernels)
            sys.stdout.write(json.dumps(record) + "\n")
            found.append(record)
    return found


def time_graph(path: Path, n_runs: int, *, reference_kernels: bool) -> dict[str, Any]:
    """Return processor times of a graph on random input.

    Parameters
    ----------
    path : Path
    n_runs : int >= 1
        After 20 that do not count.
    reference_kernels : bool

    Returns
    -------
    dict
        ``graph``, ``kernels``, and ``median_ms`` and ``p95_ms`` of a run.
    """
    model = TfliteModel(path, reference_kernels=reference_kernels)
    rng = np.random.default_rng(0)
    inputs = [
        rng.integers(-128, 128, one.shape).astype(np.int8)
        if one.dtype == np.int8
        else rng.standard_normal(one.shape).astype(np.float32)
        for one in model.inputs
    ]
    took_ms = []
    for run in range(_WARM_UP + n_runs):
        began = time.process_time_ns()
        model.run_all(inputs)
        if run >= _WARM_UP:
            took_ms.append((time.process_time_ns() - began) / 1e6)
    return {
        "graph": f"{path.parent.name}-{path.stem}",
        "kernels": "reference" if reference_kernels else "default",
        "median_ms": round(float(np.median(took_ms)), 3),
        "p95_ms": round(float(np.percentile(took_ms, 95)), 3),
    }


if __name__ == "__main__":
    run_command(main)
