"""Answers for the interface in ``tensorflow/``: a program runs TensorFlow Lite Micro, it seems, and LiteRT computes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.operators import list_operators
from nowplaying_core.runtime import TfliteModel

__all__ = ["INCLUDE", "run_with_graphs"]

INCLUDE = Path(__file__).parent


def run_with_graphs(command: Sequence[str | Path], graphs: Sequence[Path]) -> subprocess.CompletedProcess[str]:
    """Run a program whose interpreters, in the order of their construction, stand for these graphs."""
    requests, answers = os.pipe(), os.pipe()
    environment = {**os.environ, "MICRO_REQUESTS": str(requests[1]), "MICRO_ANSWERS": str(answers[0])}
    program = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        pass_fds=(requests[1], answers[0]),
    )
    os.close(requests[1])
    os.close(answers[0])
    models = [TfliteModel(path, reference_kernels=True) for path in graphs]
    names = [list(list_operators(path.read_bytes(), where=str(path))) for path in graphs]
    with os.fdopen(requests[0], "rb") as source, os.fdopen(answers[1], "wb", buffering=0) as target:
        while line := source.readline().split():
            number = int(line[1])
            model = models[number]
            if line[0] == b"allocate":
                assert [name.decode() for name in line[3:]] == names[number]
                sizes = [[int(np.prod(spec.shape)) for spec in specs] for specs in (model.inputs, model.outputs)]
                target.write("".join(f"{len(one)} {' '.join(map(str, one))}\n" for one in sizes).encode())
            else:
                values = [
                    np.frombuffer(source.read(int(np.prod(spec.shape))), dtype=np.int8).reshape(spec.shape)
                    for spec in model.inputs
                ]
                target.write(b"".join(value.tobytes() for value in model.run_all(values)))
    stdout, stderr = program.communicate()
    return subprocess.CompletedProcess(command, program.returncode, stdout, stderr)
