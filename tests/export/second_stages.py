"""Small second stages with random weights, which test arithmetic as well as trained ones do."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np

from detector.second_stage import SECOND_STAGE_FILE
from detector.training.second_stage import SecondStageNetwork, build_second_stage, folded, inference_model
from export.tflite import to_int8
from nowplaying_core.artifacts import file_record

__all__ = ["add_second_stage", "random_second_stage"]


def random_second_stage(seed: int = 0) -> bytes:
    """Return an int8 graph whose activations fill their grids on noise, and whose outputs vary."""
    network = SecondStageNetwork(width=0.2, n_first_filters=6)
    rng = np.random.default_rng(seed)
    arrays = folded(build_second_stage(network))
    for name, values in arrays.items():
        n_outputs = values.shape[2] if name.startswith("kernel.depthwise") else values.shape[-1]
        spread = 0.05 if name.startswith("bias") else (2 * n_outputs / values.size) ** 0.5
        arrays[name] = rng.normal(0, spread, values.shape).astype(np.float32)
    windows = rng.integers(0, 256, (12, network.n_frames, network.n_channels, 1)) * rng.uniform(0.1, 1, (12, 1, 1, 1))
    inputs = (windows / 128).astype(np.float32)
    model = inference_model(network, arrays)
    # Let the output move over its whole range.
    pooled = keras.Model(model.inputs, model.get_layer("flatten").output).predict(inputs, verbose=0)
    logits = pooled @ arrays["kernel.logit"]
    kernel = arrays["kernel.logit"] * (2 / logits.std())
    model.get_layer("logit").set_weights([kernel, -(pooled @ kernel).mean(axis=0)])
    return to_int8(model, inputs, output="int8")


def add_second_stage(folder: Path, target: Path, graph: bytes, *, wanted_above: int) -> Path:
    """Copy a model folder of one stage, and give the copy a second one."""
    shutil.copytree(folder, target)
    (target / SECOND_STAGE_FILE).write_bytes(graph)
    path = target / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"][SECOND_STAGE_FILE] = file_record(target / SECOND_STAGE_FILE)
    manifest["cascade"] = {"wanted_above": wanted_above}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return target
