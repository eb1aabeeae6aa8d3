"""Model cards: Markdown made from a model's manifest and metrics, never edited by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from detector.gate import GateConfig
from detector.second_stage import SECOND_STAGE_FILE
from detector.stream import MODEL_FILE
from nowplaying_core.artifacts import MODEL_SCHEMA_VERSION, read_manifest, write_text
from nowplaying_core.errors import CorruptArtifactError, MissingPathError
from nowplaying_core.text import markdown_table

__all__ = ["CARD_NAME", "METRICS_NAME", "card_text", "render_card", "write_card"]

CARD_NAME = "MODEL_CARD.md"
METRICS_NAME = "metrics.json"

_SUMMARY = {
    "detector": (
        "Tells music from speech, noise and silence, all day, in the arithmetic of a microcontroller: fixed-point "
        "features every 10 ms, int8 networks, one probability every 640 ms.",
        "Waking a recognizer. Not for: judging what kind of music it is, or telling singing from speech in evidence.",
    ),
    "fingerprinter": (
        "Turns {window_s:.3g} s of sound into {dim} numbers of unit length that stay the same through noise, rooms, "
        "loudspeakers and microphones, so that a recording can be found among many songs.",
        "Recognizing recordings that are in a database. Not for: cover versions, live performances, or other tempi and "
        "keys; not for telling people or speech apart.",
    ),
    "audio_encoder": (
        "Turns {window_s:.3g} s of sound into {dim} numbers that say what kind of sound it is; learnt by "
        "`{method}`. One embedding for several small classifiers on the device.",
        "The input of small classifiers trained on it, and the beginning of other networks. Not for: recognizing "
        "recordings or persons; what it was not probed on is not known.",
    ),
}
_PRIVACY = {
    "detector": "What comes out says whether there is music, and nothing else of the sound.",
    "fingerprinter": (
        "A fingerprint is no sound, but neither is it nothing: melodies can be rebuilt from fingerprints and from "
        "their codes, and both distinguish voices (docs/privacy.md says how well). Treat those of a microphone like a "
        "recording."
    ),
    "audio_encoder": (
        "Embeddings distinguish voices and words, as the figures above say; what can be rebuilt from them has not been "
        "measured. Treat those of a microphone like a recording."
    ),
}


def write_card(model: Path) -> Path:
    """Write a model folder's card, :func:`card_text`, and return its path."""
    if not model.is_dir():
        message = f"{model}: expected a model folder, found none; check the path"
        raise MissingPathError(message)
    write_text(model / CARD_NAME, card_text(model))
    return model / CARD_NAME


def card_text(model: Path) -> str:
    """Return a model folder's card, made from its ``manifest.json`` and ``metrics.json``.

    Raises
    ------
    CorruptArtifactError
        When one of the two is missing or unreadable, or the metrics are of another model.
    """
    manifest = read_manifest(model / "manifest.json", kind="model", schema_version=MODEL_SCHEMA_VERSION)
    try:
        metrics = json.loads((model / METRICS_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{model / METRICS_NAME}: expected the metrics of this model ({error}); run nowplaying evaluate"
        raise CorruptArtifactError(message) from error
    if not _are_of(metrics, manifest):
        message = (
            f"{model / METRICS_NAME}: expected metrics of these graphs and this gate, found others'; evaluate anew"
        )
        raise CorruptArtifactError(message)
    return render_card(manifest, metrics)


def _are_of(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    """Return whether metrics are of a model's graphs and gate, as far as they say of which they are."""
    second, cascade = metrics.get("second_stage", {}), manifest.get("cascade", {})
    gates = [GateConfig.from_dict(gate) for gate in metrics.get("streams", {}).get("gates", ())]
    stated = [
        (metrics.get("embedding_space"), manifest.get("embedding_space")),
        (metrics.get("model_sha256"), manifest["files"].get(MODEL_FILE, {}).get("sha256")),
        (second.get("model_sha256"), manifest["files"].get(SECOND_STAGE_FILE, {}).get("sha256")),
        (second.get("wanted_above"), cascade.get("wanted_above")),
        (bool(second) if "model_sha256" in metrics else None, bool(cascade)),
        (gates or None, [GateConfig.from_dict(manifest["gate"])] if gates else None),
    ]
    return all(found in (None, expected) for found, expected in stated)


def render_card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the card's Markdown; the same manifest and metrics always give the same text."""
    role = manifest["role"]
    summary, use = _SUMMARY[role]
    if role in {"fingerprinter", "audio_encoder"}:
        front_end = manifest["front_end"]
        window_s = front_end["window_samples"] / front_end["sample_rate_hz"]
        method = manifest["training"]["config"].get("method", "")
        summary = summary.format(window_s=window_s, dim=manifest["encoder"]["dim"], method=method)
    sections = [
        _header(manifest),
        f"# {manifest['name']} {manifest['version']}\n\n{summary}",
        f"**Intended use.** {use}",
        "## Files, inputs and outputs\n\n" + _files(manifest) + "\n\n" + _tensors(manifest),
        "## How it was trained\n\n" + _training(manifest),
        "## How good it is\n\n" + _metrics(metrics),
        f"## Privacy\n\nEverything runs on the device; the model sends nothing. {_PRIVACY[role]}",
    ]
    return "\n\n".join(section.strip("\n") for section in sections) + "\n"


def _metrics(metrics: Mapping[str, Any]) -> str:
    """Return the evaluation's own tables, without its title and one heading lower."""
    from evaluation.detector.report import to_markdown as detector_tables
    from evaluation.goals import detector_table
    from evaluation.retrieval.grid_report import grid_to_markdown
    from evaluation.retrieval.report import to_markdown as retrieval_tables
    from pretraining.probe.report import to_markdown as probe_tables

    tables = {"retrieval/1": retrieval_tables, "grid/1": grid_to_markdown, "probe/1": probe_tables}
    lines = tables.get(metrics["schema"], detector_tables)(metrics).splitlines()
    if lines and lines[0].startswith("# "):
        lines = lines[1:]
    text = "\n".join(f"#{line}" if line.startswith("#") else line for line in lines).strip("\n")
    return f"{detector_table(metrics)}\n\n{text}" if metrics["schema"] == "detector-metrics/2" else text


def _header(manifest: Mapping[str, Any]) -> str:
    tags = "\n".join(f"- {tag}" for tag in ("audio", "music", "tflite", "on-device", manifest["role"]))
    return f"---\nlicense: apache-2.0\nlibrary_name: nowplaying\ntags:\n{tags}\n---"


def _files(manifest: Mapping[str, Any]) -> str:
    files = [(f"`{name}`", f"{one['bytes']:,}", f"`{one['sha256'][:16]}…`") for name, one in manifest["files"].items()]
    rows = [markdown_table(["file", "bytes", "SHA-256"], files, numbers=[1])]
    if "embedding_space" in manifest:
        rows.append(f"\nEmbedding space: `{manifest['embedding_space']}`.")
    encoder = manifest.get("encoder", {})
    if "n_macs" in encoder:
        size = f"\nEncoder: {encoder['n_parameters']:,} parameters and {encoder['n_macs'] / 1e6:.1f} million "
        kept = ""
        if "codebook" in manifest:
            kept = f" a fingerprint; a reference every {manifest['reference_hop_s']:g} s of "
            kept += f"{manifest['codebook']['n_subspaces']} bytes and its cell"
        rows.append(f"{size}multiply-accumulates{kept or ' a window'}.")
    if (cascade := manifest.get("cascade")) is not None:
        first, macs = manifest["cost"]["n_parameters"], manifest["cost"]["macs_per_second"]
        rows.append(
            f"\nFirst stage: {first:,} parameters, {macs:,} multiply-accumulates a second.\n"
            f"Second stage: {cascade['n_parameters']:,} parameters, {cascade['n_macs'] / 1e6:.2f} million a run;"
            f" it is run only where the first puts out at least {cascade['wanted_above']} of 256.\n"
            "The gate gets its output, and 0 where it is not run."
        )
    if "parity" in manifest:
        parity = manifest["parity"]
        rows.append(
            f"\nint8 to float on {parity['n']} windows: cosine {parity['mean_cosine']:.4f} on average, "
            f"{parity['p5_cosine']:.4f} at the fifth percentile, of embeddings less their mean."
        )
    return "\n".join(rows)


def _tensors(manifest: Mapping[str, Any]) -> str:
    rows = []
    for graph, tensors in manifest.get("tensors", {}).items():
        for side in ("input", "output"):
            spec = tensors[side]
            shape = " x ".join(str(size) for size in spec["shape"])
            rows.append([f"`{graph}`", side, spec["dtype"], shape, f"{spec['scale']:.6g}", str(spec["zero_point"])])
    return markdown_table(["graph", "tensor", "dtype", "shape", "scale", "zero point"], rows, numbers=(4, 5))


def _training(manifest: Mapping[str, Any]) -> str:
    training = manifest.get("training", {})
    lines = []
    for group, data in training.get("data", {}).items():
        licences = ", ".join(f"{count} {licence}" for licence, count in data.get("licences", {}).items())
        lines.append(f"- **{group}**: {data['n_files']} files from {len(data.get('sources', []))} sources ({licences})")
    for group, data in training.get("extra_data", {}).items():
        packages = ", ".join(data["sources"])
        lines.append(f"- **extra {group}**: {data['n_files']} files (docs/data.md) of {packages}")
    if training.get("n_rendered_midi"):
        lines.append(f"- **rendered MIDI**: {training['n_rendered_midi']} files with varied instruments")
    settings = {key: value for key, value in training.get("config", {}).items() if not isinstance(value, dict)}
    if settings:
        lines.append("\nSettings: " + ", ".join(f"`{key} = {value}`" for key, value in settings.items()) + ".")
    if training.get("command"):
        lines.append(f"\nCommand: `{training['command']}`")
    if note := manifest.get("cascade", {}).get("note"):
        lines.append(f"\nSecond stage: {note}.")
    return "\n".join(lines) or "Not recorded."
