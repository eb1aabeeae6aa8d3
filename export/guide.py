"""The page that a bundle brings along, its licence, and the format of its databases."""

import importlib.metadata
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

from detector.features import (
    FRAME_HOP_SAMPLES,
    FRAME_WINDOW_SAMPLES,
    N_CHANNELS,
    frame_end_s,
    front_end_of,
)
from detector.gate import GateConfig
from detector.network import DECISION_FRAMES, DECISION_S, WINDOW_FRAMES, StreamingNetwork
from detector.second_stage import SECOND_STAGE_FILE
from detector.silence import HOLD_HOPS
from detector.stream import MODEL_FILE
from fingerprinter.fingerprint import Fingerprinter, window_starts
from fingerprinter.overhang import QueryOverhang
from nowplaying_core import __version__
from nowplaying_core.artifacts import write_text
from nowplaying_core.audio import SAMPLE_RATE_HZ
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["write_guide"]

_PAGES: Final = Path(__file__).with_name("pages")
_DISTRIBUTION: Final = "nowplaying-ondevice"
_RING_S: Final = 8


def write_guide(folder: Path, detector: ModelFolder, fingerprinter: Fingerprinter, packs: Sequence[str]) -> None:
    """Write ``README.md``, ``pack-format.md``, ``LICENSE`` and ``NOTICE``.

    Parameters
    ----------
    folder : Path
        Of the whole export.
    detector : ModelFolder
    fingerprinter : Fingerprinter
    packs : sequence of str
        Names of its databases.
    """
    values = {**_detector_values(detector), **_fingerprinter_values(fingerprinter)}
    values["pack_names"] = f" {', '.join(f'`{name}`' for name in packs)}" if packs else " that you add"
    values["tool"] = f"nowplaying {__version__}"
    page = Template((_PAGES / "README.md").read_text(encoding="utf-8"))
    write_text(folder / "README.md", page.substitute(values))
    # Its neighbors do not come along, so that links to them are only words here.
    text = (_PAGES / "pack-format.md").read_text(encoding="utf-8")
    write_text(folder / "pack-format.md", re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text))
    for name in ("LICENSE", "NOTICE"):
        write_text(folder / name, _licence(name))


def _licence(name: str) -> str:
    """Return a file of the source tree, or of the installed distribution."""
    path = Path(__file__).resolve().parents[1] / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return importlib.metadata.distribution(_DISTRIBUTION).read_text(f"licenses/{name}") or ""


def _detector_values(folder: ModelFolder) -> dict[str, Any]:
    model = TfliteModel(folder.file(MODEL_FILE))
    network = StreamingNetwork(model)
    full_scale = front_end_of(folder.manifest, folder.path / "manifest.json").full_scale
    gate = GateConfig.from_dict(folder.manifest["gate"])
    silence = ""
    if gate.silence_dbfs is not None:
        silence = f"Where the last {HOLD_HOPS} hops of {FRAME_HOP_SAMPLES} samples were all below "
        silence += f"{gate.silence_dbfs:g} dBFS (RMS), every channel is -128 instead."
    return {
        "detector_name": _name(folder.manifest),
        "sample_rate": f"{SAMPLE_RATE_HZ:,}",
        "ring_bytes": f"{_RING_S * SAMPLE_RATE_HZ:,}",
        "window": FRAME_WINDOW_SAMPLES,
        "hop": FRAME_HOP_SAMPLES,
        "channels": N_CHANNELS,
        "full_scale": full_scale,
        "half_scale": full_scale // 2,
        "silence": silence,
        "step_frames": DECISION_FRAMES,
        "step_ms": round(1_000 * DECISION_S),
        "frames_in": model.input.shape[1],
        "kept_frames": model.input.shape[1] - DECISION_FRAMES,
        "window_s": f"{frame_end_s(network.window_frames - 1):.2f}",
        "silent_frames": -network.window_frames % DECISION_FRAMES,
        "skipped": -(-network.window_frames // DECISION_FRAMES) - 1,
        "second_stage": _second_stage(folder.manifest),
        "gate_window": gate.window,
        "enter_sum": gate.enter_sum,
        "leave_sum": gate.leave_sum,
        "hits": gate.consecutive_hits,
        "early_gate": _early_gate(gate),
        "cool_down": f"{gate.cool_down_s:g}",
        "back_off": f"{gate.back_off_factor:g}",
        "longest_rest": f"{gate.longest_rest_s:g}",
    }


def _early_gate(gate: GateConfig) -> str:
    """Return the sentence about an early window, or nothing."""
    if gate.early_window is None:
        return ""
    return (
        f" It also begins at once when the sum of the last {gate.early_window} outputs is at least "
        f"{gate.early_enter_sum},\n   and does not end while that sum is at least {gate.early_leave_sum}."
    )


def _second_stage(manifest: Mapping[str, Any]) -> str:
    """Return the sentences about a second stage, or nothing."""
    if "cascade" not in manifest:
        return ""
    wanted = manifest["cascade"]["wanted_above"]
    return (
        f"\n   Where value + 128 is at least {wanted}, `phone/models/detector/{SECOND_STAGE_FILE}` decides "
        f"instead: its input is the last {WINDOW_FRAMES} frames,\n   oldest first; "
        "its output is again int8, (value + 128) / 256. Elsewhere the output is 0 for the gate."
    )


def _fingerprinter_values(fingerprinter: Fingerprinter) -> dict[str, Any]:
    manifest = fingerprinter.folder.manifest
    image = TfliteModel(fingerprinter.folder.file("encoder.tflite")).input
    acceptance = manifest.get("acceptance", {})
    return {
        "fingerprinter_name": _name(manifest),
        "fp_window": fingerprinter.window_samples,
        "fp_window_s": f"{fingerprinter.window_s:g}",
        "query_hop": f"{fingerprinter.query_hop_s:g}",
        "reference_hop": f"{fingerprinter.reference_hop_s:g}",
        "n_query": n_query_windows(fingerprinter, _RING_S * fingerprinter.sample_rate_hz),
        "overhang": _overhang(fingerprinter.overhang),
        "image_shape": list(image.shape),
        "image_scale": repr(image.scale),
        "image_zero": f"({image.zero_point})",
        "dim": fingerprinter.dim,
        "threshold": f"{acceptance.get('threshold', 0.5):.4f}",
        "threshold_single": f"{acceptance.get('threshold_single', 0.5):.4f}",
        "embedding_space": fingerprinter.embedding_space,
    }


def n_query_windows(fingerprinter: Fingerprinter, n_samples: int) -> int:
    """Return how many fingerprints a query of so many samples has."""
    rate_hz, hop_s = fingerprinter.sample_rate_hz, fingerprinter.query_hop_s
    beyond = round(fingerprinter.overhang.seconds_for(n_samples / rate_hz) * rate_hz)
    return len(window_starts(n_samples + 2 * beyond, fingerprinter.window_samples, round(hop_s * rate_hz)))


def _overhang(overhang: QueryOverhang) -> str:
    """Return the sentence about windows that overhang a query, or nothing."""
    if not overhang.query_overhang_s:
        return ""
    below_s, beyond_s = overhang.query_overhang_below_s, f"{overhang.query_overhang_s:g} s"
    which = "A query" if math.isinf(below_s) else f"A query of less than {below_s:g} s"
    return (
        f" {which} first gets {beyond_s} of zeros at both ends, so that its first window begins {beyond_s} before it."
    )


def _name(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['name']} {manifest['version']}"
