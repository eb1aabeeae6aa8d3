"""The decoders' table in Markdown, from their JSON alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from nowplaying_core.text import markdown_table, with_interval

__all__ = ["to_markdown"]


def to_markdown(results: Mapping[str, Mapping[str, Any]], anchors: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of decoders, the curves by steps, and the table of latent models.

    Parameters
    ----------
    results : mapping of str to dict
        By row name, as :func:`evaluation.experiments.decoder_measures.measure` returns them.
    anchors : sequence of dict
        As :func:`evaluation.experiments.decoder_measures.anchors` returns them.
    """
    some = next(iter(results.values()))
    rows = [[name, *_decoder_cells(result)] for name, result in results.items()]
    rows += [_anchor_cells(anchor) for anchor in anchors]
    names = ["decoder", "steps", "sampled in", "error", "distance", "of the first image", "own window first", "spread"]
    parts = [
        f"{some['n_images']} windows of the `dev` split, rebuilt from as many numbers as a fingerprint has, held "
        "against as many others. *error*: mean square in the front end's units (13 dB), of the refiner's image and "
        f"of the first decoder's; real windows vary by {some['variance']:.2f}. *distance*: unbiased squared MMD of the "
        "shipped fingerprinter's vectors, kernel (cosine + 1)^3, in thousandths, with 95 % intervals. *own window "
        "first*: how often the nearest real window by fingerprint is the one rebuilt. *spread*: root mean square "
        "between two samples. Blurred: real windows under a Gaussian of so many bands and frames. Made "
        "by `python -m evaluation.experiments.decoders`.\n",
        markdown_table([*names, "parameters"], rows) + "\n",
    ]
    drawn_out = [(name, result["steps"]) for name, result in results.items() if len(result["steps"]) > 1]
    curves = [[name, *_curve_cells(step)] for name, steps in drawn_out for step in steps]
    if curves:
        parts += [
            "## Steps against fidelity\n",
            markdown_table(["decoder", "sampled in", "error", "distance", "own window first"], curves) + "\n",
        ]
    modelled = [
        [name, with_interval(latent["validation_loss"], 3), with_interval(latent["sample_distance"])]
        for name, result in results.items()
        if (latent := result.get("latent"))
    ]
    if modelled:
        parts += [
            "## How easily the latent is modelled\n",
            "A small diffusion model of each latent, standardised: its loss on latents it has not seen (1 is white "
            "noise) and the distance of what it makes up, decoded.\n",
            markdown_table(["latent of", "validation loss", "distance of samples"], modelled) + "\n",
        ]
    return "\n".join(parts)


def _decoder_cells(result: Mapping[str, Any]) -> list[str]:
    step = next(step for step in result["steps"] if step["in_table"])
    return [
        f"{result['training_steps']} x {result['clips_per_step']}",
        str(step["n_steps"]),
        f"{step['mse']:.3f}",
        with_interval(step["distance"]),
        f"{result['first_mse']:.3f}",
        f"{100 * step['own_window_first']:.1f} %",
        f"{result['spread']:.2f}",
        f"{sum(result['n_parameters'].values()):,}",
    ]


def _anchor_cells(anchor: Mapping[str, Any]) -> list[str]:
    name = f"real windows, blurred by {anchor['blur']:g}" if anchor["blur"] else "real windows"
    first = f"{100 * anchor['own_window_first']:.1f} %"
    return [name, "", "", f"{anchor['mse']:.3f}", with_interval(anchor["distance"]), "", first, "", ""]


def _curve_cells(step: Mapping[str, Any]) -> list[str]:
    return [
        str(step["n_steps"]),
        f"{step['mse']:.3f}",
        with_interval(step["distance"]),
        f"{100 * step['own_window_first']:.1f} %",
    ]
