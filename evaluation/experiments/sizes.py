"""Acceptance by size of the library: python -m evaluation.experiments.sizes --answers DIR --out FILE [--enter].

Answers in smaller and larger libraries (:mod:`evaluation.experiments.answers_by_size`) are scored by the acceptance
models of the corpus's size, and what their log odds lack is fitted as two numbers on each side of that size: by how
much they fall for a database e times as large, or as small, for a single fingerprint and for each e-fold of them
(:class:`~ondevice_db.match.accept.Acceptance`). The numbers of one half of the tracks judge the other half. ``--enter``
enters those of all tracks in the model's manifest. The corpus's own size is what ``nowplaying evaluate retrieval``
measured.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.committed import committed
from evaluation.experiments.answers_by_size import SIZES, SOUND_CONDITIONS, Answers
from evaluation.model_card import METRICS_NAME
from evaluation.retrieval.calibration import BOTH_HALVES, CrossFit, half_acceptances
from evaluation.retrieval.conditions import paired_conditions
from evaluation.retrieval.reliability import reliability
from evaluation.retrieval.report import percent
from nowplaying_core.artifacts import SHIPPED_FINGERPRINTER, write_json
from nowplaying_core.command import run_command
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.statistics import poisson_upper
from nowplaying_core.text import markdown_table
from ondevice_db.match.accept import Acceptance
from ondevice_db.match.evidence import FEATURES

__all__ = ["committed_table", "fit_slopes", "main", "scores", "to_markdown", "with_slopes"]

RESULTS: Final = "evaluation/experiments/sizes.json"
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "small": ("small_size_slope", "small_size_slope_x_log_fingerprints"),
    "large": ("size_slope", "size_slope_x_log_fingerprints"),
}
_LOG_N: Final = FEATURES.index("log_fingerprints")
_RIDGE: Final = 1e-4


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, judge out of sample, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=SHIPPED_FINGERPRINTER)
    parser.add_argument("--answers", type=Path, required=True, help="folder of answers_by_size")
    parser.add_argument("--enter", action="store_true", help="enter the numbers of all tracks in the manifest")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args(arguments)
    folder = ModelFolder.open(options.model, role="fingerprinter").path
    metrics = json.loads((folder / METRICS_NAME).read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    halves = half_acceptances(metrics)
    shipped, rows = Acceptance.from_dict(manifest["acceptance"]), []
    for size in SIZES:
        answers = read_answers(options.answers, size)
        if not answers:
            continue
        fitted = [with_slopes(half, size, fit_slopes(half, size, answers, side)) for side, half in enumerate(halves)]
        shipped = with_slopes(shipped, size, fit_slopes(shipped, size, answers))
        rows.append(measured(size, answers, halves, fitted))
    result = {"schema": "sizes/1", "model": manifest["name"], "sizes": rows}
    write_json(options.out, result)
    if options.enter:
        manifest["acceptance"] |= {name: getattr(shipped, name) for names in _NAMES.values() for name in names}
        write_json(folder / "manifest.json", manifest)
    print(to_markdown(result, metrics))


def read_answers(folder: Path, size: str) -> dict[tuple[str, str], Answers]:
    """Return the answers of a size by plan and condition; empty where there are none."""
    found = {}
    for path in sorted(folder.glob(f"{size}, *.npz")):
        _, plan, condition = path.stem.split(", ", 2)
        found[plan, condition] = Answers.load(path)
    return found


def fit_slopes(
    acceptance: Acceptance, size: str, answers: Mapping[tuple[str, str], Answers], half: int | None = None
) -> tuple[float, float]:
    """Return the slope by size of a single fingerprint and what a longer query adds to it.

    Parameters
    ----------
    acceptance : Acceptance
        Of the corpus's size; only its terms by size are fitted.
    size : {"small", "large"}
    answers : mapping of (plan, condition) to Answers
    half : {0, 1}, optional
        Of the tracks; speech and noise of the ``train`` split are in both.

    Notes
    -----
    Logistic regression with the log odds of the corpus's size as its offset; right and wrong answers weigh the same.
    """
    from scipy.optimize import minimize

    plain = with_slopes(acceptance, size, (0.0, 0.0))
    logits, is_correct, steps = [], [], []
    for (plan, _), one in answers.items():
        sides = np.full(one.halves.size, BOTH_HALVES) if plan.startswith("train") else one.halves
        chosen = np.isfinite(one.features).all(axis=1) & (plan in {"known", "masked"} or plan.startswith("train"))
        if half is not None:
            chosen &= (sides == half) | (sides == BOTH_HALVES)
        features = one.features[chosen]
        growth = np.abs(np.log(one.n_searched[chosen] / plain.n_fitted))
        logits.append(features @ np.array(plain.coefficients) + plain.intercept)
        steps.append(np.stack([growth, growth * features[:, _LOG_N]], axis=1))
        is_correct.append(one.is_correct[chosen])
    offset, step, right = np.concatenate(logits), np.concatenate(steps), np.concatenate(is_correct)
    sign = np.where(right, 1.0, -1.0)
    weight = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())

    def loss(slopes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = sign * (offset - step @ slopes)
        inner = weight * sign / (1 + np.exp(np.clip(margin, -50, 50)))
        value = float(weight @ np.logaddexp(0, -margin)) + _RIDGE * float(slopes @ slopes)
        return value, step.T @ inner + 2 * _RIDGE * slopes

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-5, 5)] * 2).x
    return float(found[0]), float(found[1])


def with_slopes(acceptance: Acceptance, size: str, slopes: tuple[float, float]) -> Acceptance:
    """Return an acceptance model with other terms for smaller or for larger databases."""
    terms: dict[str, Any] = dict(zip(_NAMES[size], slopes, strict=True))
    return replace(acceptance, **terms)


def scores(acceptances: Sequence[Acceptance], one: Answers) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Score answers by the model of the other half of the tracks; return scores and what is accepted."""
    score, accepted = np.zeros(one.halves.size), np.zeros(one.halves.size, bool)
    for n_searched in np.unique(one.n_searched):
        rows = one.n_searched == n_searched
        judged = CrossFit((acceptances[0], acceptances[1]), int(n_searched)).judge(one.features[rows], one.halves[rows])
        score[rows], accepted[rows] = judged
    return score, accepted


def measured(
    size: str, answers: Mapping[tuple[str, str], Answers], plain: Sequence[Acceptance], fitted: Sequence[Acceptance]
) -> dict[str, Any]:
    """Return the figures of a size, with its terms and, for the reliability, without them."""
    conditions = []
    sides: dict[str, list[tuple[NDArray[Any], ...]]] = {"without": [], "with": []}
    for condition in (one.name for one in paired_conditions()):
        known, unknown = answers["known", condition], answers["unknown", condition]
        accepted = {plan: scores(fitted, answers[plan, condition])[1] for plan in ("known", "masked", "unknown")}
        conditions.append(
            {
                "condition": condition,
                "n_known": int(known.is_correct.size),
                "rank1": float(known.is_correct.mean()),
                "accepted": float((known.is_correct & accepted["known"]).mean()),
                "unknown": _count(accepted["unknown"]),
                "masked": _count(accepted["masked"]),
            }
        )
        for name, models in (("without", plain), ("with", fitted)):
            sides[name].append((scores(models, known)[0], known.is_correct, scores(models, unknown)[0]))
    sounds = {
        group: [
            {"condition": one.name, **_count(scores(fitted, answers[group, one.name])[1])} for one in SOUND_CONDITIONS
        ]
        for group in ("speech", "noise")
    }
    all_of_them = {name: reliability(*map(np.concatenate, zip(*parts, strict=True))) for name, parts in sides.items()}
    return {
        "size": size,
        "n_fingerprints": round(float(np.mean([one.n_searched.mean() for one in answers.values()]))),
        "half_slopes": [{name: getattr(half, name) for name in _NAMES[size]} for half in fitted],
        "conditions": conditions,
        "sounds": sounds,
        "reliability": all_of_them["with"],
        "reliability_without_terms": all_of_them["without"],
    }


def _count(accepted: NDArray[np.bool_]) -> dict[str, Any]:
    n, count = int(accepted.size), int(accepted.sum())
    return {"n": n, "count": count, "upper_95": poisson_upper(count, n)}


def to_markdown(result: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the tables of all sizes; the corpus's own is taken from the model's metrics."""
    rows = {row["size"]: row for row in result["sizes"]}
    sizes = [rows.get("small"), _of_corpus(metrics), rows.get("large")]
    found, calibration = [], []
    for row in (one for one in sizes if one is not None):
        n = f"{row['n_fingerprints']:,}"
        for one in row["conditions"]:
            named = [f"{one[plan]['count']} of {one[plan]['n']}" for plan in ("unknown", "masked")]
            shares = [percent(one["rank1"]), percent(one["accepted"])]
            bounds = [percent(one[plan]["upper_95"], 2) for plan in ("unknown", "masked")]
            found.append([n, one["condition"], *shares, named[0], bounds[0], named[1], bounds[1]])
        before = row.get("reliability_without_terms")
        sounds = [sum(one["count"] for one in row["sounds"][group]) for group in ("speech", "noise")]
        n_sounds = [sum(one["n"] for one in row["sounds"][group]) for group in ("speech", "noise")]
        calibration.append(
            [
                n,
                "" if before is None else f"{before['expected_calibration_error']:.3f}",
                f"{row['reliability']['expected_calibration_error']:.3f}",
                f"{row['reliability']['brier']:.4f}",
                *(f"{count} of {n_asked}" for count, n_asked in zip(sounds, n_sounds, strict=True)),
            ]
        )
    heads = ["fingerprints", "query", "rank-1 %", "accepted and correct %"]
    heads += ["unknown music named", "95 % upper bound, %", "masked music named", "95 % upper bound, %"]
    error = "expected calibration error"
    more = ["fingerprints", f"{error} without terms by size", error, "Brier score", "speech named", "noise named"]
    return "\n\n".join([markdown_table(heads, found), markdown_table(more, calibration)])


def _of_corpus(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of the corpus's own size in the form of the others."""
    false = {(row["queries"], row["condition"]): row for row in metrics["false_accepts"]}
    known = {row["condition"]: row for row in metrics["known"]}
    return {
        "n_fingerprints": metrics["n_fingerprints"],
        "conditions": [
            {
                "condition": name,
                **{rate: known[name][rate]["rate"] for rate in ("rank1", "accepted")},
                **{plan: false[f"{plan} music", name] for plan in ("unknown", "masked")},
            }
            for name in (one.name for one in paired_conditions())
        ],
        "sounds": {group: [false[group, one.name] for one in SOUND_CONDITIONS] for group in ("speech", "noise")},
        "reliability": metrics["reliability"][-1],
    }


def committed_table() -> str:
    """Return the tables of the published result."""
    return to_markdown(committed(RESULTS), committed(f"models/{SHIPPED_FINGERPRINTER}/{METRICS_NAME}"))


if __name__ == "__main__":
    run_command(main)
