"""The decoders' tables in Markdown, from their JSON alone."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Final

from nowplaying_core.statistics import student
from nowplaying_core.text import markdown_table, with_interval

__all__ = ["COMPARED", "to_markdown"]

Result = Mapping[str, Any]

COMPARED: Final = (  # what the text draws conclusions from
    ("diffusion_mse_perceptual_1", "gan"),
    ("diffusion_mse_perceptual_1", "mse"),
    ("diffusion_mse_perceptual_1", "diffusion"),
    ("diffusion_mse", "diffusion"),
    ("diffusion_mse_perceptual", "diffusion_mse"),
    ("diffusion_mse_perceptual_1", "diffusion_mse_perceptual"),
    ("diffusion_mse_perceptual_1", "gan_spectral"),
    ("diffusion_mse_perceptual_1", "gan_perceptual_1"),
    ("gan", "mse"),
    ("gan_spectral", "gan"),
    ("gan_spectral", "mse"),
    ("gan_perceptual_1", "gan"),
    ("gan_perceptual_1", "mse"),
)

_PROTOCOL: Final = (
    "{n_steps} steps of {n_windows} windows for each row, {n_weights} weights. {n_images} windows of the `dev` split, "
    "rebuilt from as many numbers as a fingerprint has, held against as many others. *error*: mean square in the front "
    "end's units (13 dB), of the refiner's image and of the first decoder's; real windows vary by {variance:.2f}. "
    "*distance*: unbiased squared MMD of the shipped fingerprinter's vectors, kernel (cosine + 1)^3, in thousandths. "
    "*own window first*: how often the nearest real window by fingerprint is the one rebuilt. *spread*: root mean "
    "square between two samples. Blurred: real windows under a Gaussian of so many bands and frames; with noise: and "
    "white noise of the variance that the blur took."
)
_INTERVALS: Final = (
    "A seed has its own weights, batches and test windows, the same ones for all rows, so that 95 % intervals, "
    "Student's t over the seeds' figures, hold all three. A row of one seed has its interval over windows alone."
)
_CHOSEN: Final = (
    "The first seed's runs on other windows than above, by which the row of three seeds was chosen; intervals are over "
    "these windows alone."
)


def to_markdown(found: Mapping[str, Any]) -> str:
    """Return what :func:`evaluation.experiments.decoders.collected` found: all tables that it has figures for."""
    results, anchors = found["results"], found["anchors"]
    parts = [
        _introduction(found),
        markdown_table(
            ["decoder", "seeds", "sampled in", "error", "distance", "of the first image", "own window first", "spread"],
            [*([name, *_decoder_cells(runs)] for name, runs in results.items()), *_anchor_rows(anchors)],
        ),
    ]
    for heading, text, columns, rows in (
        _differences(results),
        _curves(results),
        _latents(results),
        *_tried(found["tried"]),
    ):
        if rows:
            parts += [f"## {heading}", *([text] if text else []), markdown_table(columns, rows)]
    return "\n\n".join(parts) + "\n"


def _introduction(found: Mapping[str, Any]) -> str:
    some = next(iter(found["results"].values()))[0]
    options = " ".join(
        f"--{name.replace('_', '-')} {value}" for name, value in found["protocol"].items() if value is not None
    )
    about = _PROTOCOL.format(
        n_steps=some["training_steps"],
        n_windows=some["clips_per_step"],
        n_images=found["protocol"]["images"],
        n_weights=f"{sum(some['n_parameters'].values()):,}",
        variance=some["variance"],
    )
    made = f"Made by `python -m evaluation.experiments.decoders {options}`"
    return f"{about}\n\n{_INTERVALS}\n\n{made}{_hours(found)}."


def _hours(found: Mapping[str, Any]) -> str:
    """Return how long the runs and their measures took, where all recorded it."""
    runs = [run for rows in found["results"].values() for run in rows] + list(found["tried"].values())
    training_s, measuring_s = found["training_cpu_s"], [run.get("measuring_cpu_s") for run in runs]
    if None in (training_s, *measuring_s):
        return ""
    hours, training = (training_s + sum(measuring_s)) / 3600, training_s / 3600
    return f" in {hours / 2:.1f} hours of two cores ({hours:.1f} of one, {training:.1f} of them in training)"


def _decoder_cells(runs: Sequence[Result]) -> list[str]:
    steps = [_in_table(run) for run in runs]
    return [
        str(len(runs)),
        str(steps[0]["n_steps"]),
        _over(steps, lambda step: step["mse"], 3),
        _over(steps, lambda step: step["distance"]),
        _over(runs, lambda run: run["first_mse"], 3),
        _percent(steps),
        f"{fmean(run['spread'] for run in runs):.2f}",
    ]


def _anchor_rows(anchors: Sequence[Sequence[Result]]) -> list[list[str]]:
    rows = []
    for of_blur in zip(*anchors, strict=True):
        blur = of_blur[0]["blur"]
        name = f"real windows, blurred by {blur:g}" if blur else "real windows"
        name += ", with noise" if of_blur[0].get("noise") else ""
        error, distance = (_over(of_blur, read, digits) for read, digits in ((_error, 3), (_distance, 1)))
        rows.append([name, str(len(of_blur)), "", error, distance, "", _percent(of_blur), ""])
    return rows


def _differences(results: Mapping[str, Sequence[Result]]) -> tuple[str, str, list[str], list[list[str]]]:
    rows = []
    for first, second in COMPARED:
        by_seed = [{run["seed"]: run for run in results.get(name, ())} for name in (first, second)]
        pairs = [(by_seed[0][seed], by_seed[1][seed]) for seed in sorted(by_seed[0].keys() & by_seed[1].keys())]
        if len(pairs) < 2:
            continue
        cells = [
            _difference(pairs, lambda run: float(_in_table(run)["distance"]["value"]), 1),
            _difference(pairs, lambda run: _error(_in_table(run)), 3),
        ]
        modelled = all("latent" in run for pair in pairs for run in pair)
        cells.append(_difference(pairs, _latent_loss, 3) if modelled else "")
        rows.append([f"{first} less {second}", str(len(pairs)), *cells])
    columns = ["rows", "seeds", "distance", "error", "latent's validation loss"]
    return "Differences", "Between rows of one seed.", columns, rows


def _difference(pairs: Sequence[tuple[Result, Result]], read: Callable[[Result], float], digits: int) -> str:
    return with_interval(student([read(a) - read(b) for a, b in pairs]).to_dict(), digits, sign="+")


def _curves(results: Mapping[str, Sequence[Result]]) -> tuple[str, str, list[str], list[list[str]]]:
    curves = {name: run["steps"] for name, runs in results.items() if len((run := runs[0])["steps"]) > 1}
    rows = [
        [name, str(step["n_steps"]), f"{_error(step):.3f}", with_interval(_distance(step)), _percent([step])]
        for name, steps in curves.items()
        for step in steps
    ]
    return (
        "Steps against fidelity",
        "Of the first seed.",
        ["decoder", "sampled in", "error", "distance", "own window first"],
        rows,
    )


def _latents(results: Mapping[str, Sequence[Result]]) -> tuple[str, str, list[str], list[list[str]]]:
    rows = [
        [
            name,
            str(len(runs)),
            _over(runs, lambda run: run["latent"]["validation_loss"], 3),
            _over(runs, lambda run: run["latent"]["sample_distance"]),
        ]
        for name, runs in results.items()
        if all("latent" in run for run in runs)
    ]
    text = (
        "A small diffusion model of each latent, standardised: its loss on latents it has not seen (1 is white noise) "
        "and the distance of what it makes up, decoded."
    )
    return (
        "How easily the latent is modelled",
        text,
        ["latent of", "seeds", "validation loss", "distance of samples"],
        rows,
    )


def _tried(tried: Mapping[str, Result]) -> list[tuple[str, str, list[str], list[list[str]]]]:
    """Return the tables of what was chosen among: perceptual weights under diffusion, and critics."""
    sampling = {name: run for name, run in tried.items() if _in_table(run)["n_steps"] > 1}
    by_weight = sorted(sampling.items(), key=lambda item: item[1]["perceptual_weight"])
    of_critics = [(name, run) for name, run in tried.items() if name not in sampling]
    found = [
        (
            "The perceptual weight",
            f"Of `diffusion_mse`. {_CHOSEN}",
            ["weight", "error", "of the first image", "distance"],
            [[f"{run['perceptual_weight']:g}", *_choice_cells(run)] for _, run in by_weight],
        ),
        (
            "The critic",
            _CHOSEN,
            ["decoder", "error", "of the first image", "distance"],
            [[name, *_choice_cells(run)] for name, run in of_critics],
        ),
    ]
    return [table for table in found if len(table[-1]) > 1]  # nothing was chosen among fewer


def _choice_cells(run: Result) -> list[str]:
    step = _in_table(run)
    return [f"{step['mse']:.3f}", f"{run['first_mse']:.3f}", with_interval(step["distance"])]


def _in_table(run: Result) -> Result:
    step: Result = next(step for step in run["steps"] if step["in_table"])
    return step


def _error(step: Result) -> float:
    return float(step["mse"])


def _distance(step: Result) -> Mapping[str, float]:
    distance: Mapping[str, float] = step["distance"]
    return distance


def _latent_loss(run: Result) -> float:
    return float(run["latent"]["validation_loss"]["value"])


def _over(runs: Sequence[Result], read: Callable[[Result], Any], digits: int = 1) -> str:
    """Return the mean over seeds with its interval; of one seed with its own, if it has one."""
    found = [read(run) for run in runs]
    own = isinstance(found[0], Mapping)
    if len(found) == 1 and own:
        return with_interval(found[0], digits)
    mean = student([value["value"] if own else value for value in found])
    return f"{mean.value:.{digits}f}" if math.isnan(mean.low) else with_interval(mean.to_dict(), digits)


def _percent(steps: Sequence[Result]) -> str:
    return f"{100 * fmean(step['own_window_first'] for step in steps):.1f} %"
