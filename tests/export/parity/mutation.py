"""One byte of a graph turned, with hashes that fit again: what no hash can find, and arithmetic must."""

import json
import shutil
from pathlib import Path

import numpy as np

from export.operators import open_graph
from export.parity.numpy_graph import is_weighted
from nowplaying_core.artifacts import file_record

__all__ = ["copied", "mutate_weight", "scale_output", "seal"]


def copied(source: Path, target: Path) -> Path:
    """Copy a model folder with its float weights."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.md", "metrics.json"))
    return target


def seal(folder: Path, name: str) -> None:
    """Let the manifest state the hash of what lies there now."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][name] |= file_record(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def mutate_weight(path: Path, *, layer: int, part: int) -> None:
    """Turn a bit of one number of a layer's kernel (part 1) or bias (part 2), in place."""
    content = bytearray(path.read_bytes())
    model, subgraph = open_graph(bytes(content))
    operator = [one for one in subgraph.operators if is_weighted(model, one)][layer]
    data = bytes(model.buffers[subgraph.tensors[operator.inputs[part]].buffer].data)
    assert content.count(data) == 1
    content[content.index(data) + (len(data) // 8) * 4] ^= 0x20
    path.write_bytes(bytes(content))


def scale_output(path: Path, *, layer: int, factor: float) -> None:
    """Make one layer's output grid another, such as one too narrow for it, in place."""
    content = bytearray(path.read_bytes())
    model, subgraph = open_graph(bytes(content))
    operator = [one for one in subgraph.operators if is_weighted(model, one)][layer]
    scale = np.float32(subgraph.tensors[operator.outputs[0]].quantization.scale[0])
    assert content.count(scale.tobytes()) == 1
    place = content.index(scale.tobytes())
    content[place : place + 4] = np.float32(scale * factor).tobytes()
    path.write_bytes(bytes(content))
