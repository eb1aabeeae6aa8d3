"""The figures of a verification, each with its tolerance, and the table of all tolerances."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from export.parity.layers import LayerError
from nowplaying_core.errors import ParityError
from nowplaying_core.statistics import area_under_roc
from nowplaying_core.text import markdown_table

__all__ = ["TOLERANCES", "Figure", "ParityReport", "Tolerance"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a figure may go.

    Attributes
    ----------
    limit : float
    at_least : bool
        Whether the figure may not be smaller; else it may not be larger.
    meaning : str
        What the figure is, and where the limit comes from.
    """

    limit: float
    at_least: bool
    meaning: str

    def holds(self, value: float) -> bool:
        """Say whether a value is within it; what is not a number never is."""
        return value >= self.limit if self.at_least else value <= self.limit


def _at_most(limit: float, meaning: str) -> Tolerance:
    return Tolerance(limit, at_least=False, meaning=meaning)


def _at_least(limit: float, meaning: str) -> Tolerance:
    return Tolerance(limit, at_least=True, meaning=meaning)


TOLERANCES: Final = {
    "changed graphs": _at_most(0, "graphs whose bytes are not those of the evaluated model"),
    "front end, NumPy to Keras": _at_most(5e-4, "largest difference of a log-mel value in [-4, 4]"),
    "front end, Keras to LiteRT": _at_most(5e-4, "largest difference of a log-mel value in [-4, 4]"),
    "encoder, NumPy to LiteRT in float": _at_most(1e-5, "largest difference of a unit vector's component"),
    "encoder, Keras to LiteRT in float": _at_most(1e-5, "largest difference of a unit vector's component"),
    "encoder, worst kernel": _at_most(0.51, "steps from the trained weight; 0.5 is rounding, the rest float32"),
    "encoder, worst bias": _at_most(0.51, "steps from the trained bias; 0.5 is rounding, the rest float32"),
    "encoder, worst layer": _at_least(20.0, "dB of float output over int8 error"),
    "int8 to float, mean cosine": _at_least(0.999, "of fingerprints of music, clean and in noise"),
    "int8 to float, lowest cosine": _at_least(0.99, "of fingerprints of music, clean and in noise"),
    "int8 and float agree on the song": _at_least(0.98, "share of queries with one top-1 through the database"),
    "top-1 lost by int8": _at_most(0.01, "share of queries that float answers rightly, less those that int8 does"),
    "float16 to float, lowest cosine": _at_least(0.9999, "of fingerprints of music, clean and in noise"),
    "detector, NumPy to Keras": _at_most(1e-5, "largest difference of P(music)"),
    "detector, NumPy to LiteRT in float": _at_most(1e-5, "largest difference of P(music)"),
    "detector, worst kernel": _at_most(
        0.501, "steps from the trained weight; grids are powers of two, so 0.5 is exact"
    ),
    "detector, worst bias": _at_most(0.501, "steps from the trained bias; grids are powers of two, so 0.5 is exact"),
    "detector, worst layer": _at_least(15.0, "dB of float output over int8 error"),
    "int8 to float, mean P(music)": _at_most(0.02, "mean difference of the detector's output"),
    "ROC area lost by int8": _at_most(0.003, "music in noise and speech against noise and speech"),
    "LiteRT to TFLM": _at_most(0, "largest difference of the detector's output in 256ths"),
    "second stage, NumPy to Keras": _at_most(1e-5, "largest difference of P(music)"),
    "second stage, Keras to LiteRT in float": _at_most(1e-5, "largest difference of P(music)"),
    "second stage, worst kernel": _at_most(0.51, "steps from the trained weight; 0.5 is rounding, the rest float32"),
    "second stage, worst bias": _at_most(0.51, "steps from the trained bias; 0.5 is rounding, the rest float32"),
    "second stage, worst layer": _at_least(15.0, "dB of float output over int8 error"),
    "second stage, int8 to float, mean P(music)": _at_most(0.02, "mean difference of its output"),
    "second stage, ROC area lost by int8": _at_most(0.003, "music in noise and speech against noise and speech"),
    "second stage, LiteRT to TFLM": _at_most(
        0, "largest difference of its output in 256ths; a graph that ends fully connected, publish again"
    ),
    "phone to DSP, second stage": _at_most(0, "largest difference of its output in 256ths"),
    "phone to DSP, threshold": _at_most(0, "difference of the first stage's output for which the second is run"),
    "golden vector of the second stage": _at_most(0, "largest difference in LiteRT, in 256ths"),
    "golden vector of the cascade": _at_most(0, "largest difference in LiteRT, in 256ths"),
    "operations of headers": _at_most(0, "operations that are in a graph or in its C header alone"),
    "arena beyond headers'": _at_most(0, "bytes that TFLM takes and a C header does not state"),
    "phone to DSP": _at_most(0, "largest difference of the detector's output in 256ths"),
    "golden frames": _at_most(0, "largest difference of the front end's int8 output from a bundle's golden vector"),
    "golden vector in LiteRT": _at_most(0, "largest difference of the detector's output in 256ths"),
    "golden vector in TFLM": _at_most(0, "largest difference of the detector's output in 256ths"),
}
"""Every figure that can fail, and when it does. Widen one only with a reason."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes
    ----------
    name : str
        In ``TOLERANCES``.
    value : float
    detail : str
        On how much it was measured, and further figures.
    """

    name: str
    value: float
    detail: str = ""

    @property
    def is_within(self) -> bool:
        """Whether it is within its tolerance."""
        return TOLERANCES[self.name].holds(self.value)

    @property
    def bound(self) -> str:
        """The tolerance in words."""
        tolerance = TOLERANCES[self.name]
        return f"at {'least' if tolerance.at_least else 'most'} {tolerance.limit:g}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        tolerance = TOLERANCES[self.name]
        return {
            "name": self.name,
            "value": self.value,
            "limit": tolerance.limit,
            "at_least": tolerance.at_least,
            "passed": self.is_within,
            "meaning": tolerance.meaning,
            "detail": self.detail,
        }


@dataclass(slots=True)
class ParityReport:
    """Everything that was compared.

    Attributes
    ----------
    subject : str
        What was verified.
    figures : list of Figure
    layers : dict of str to list of LayerError
        By graph.
    left_out : dict of str to str
        What could not be compared here, and why.
    """

    subject: str
    figures: list[Figure] = field(default_factory=list)
    layers: dict[str, Sequence[LayerError]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float | np.floating, detail: str = "") -> None:
        """Add a figure."""
        self.figures.append(Figure(name, float(value), detail))

    def add_layers(self, graph: str, layers: Sequence[LayerError]) -> None:
        """Add the layers of a graph, and the worst of them as figures."""
        self.layers[graph] = layers
        for name, errors in (
            ("worst kernel", [layer.kernel_steps for layer in layers]),
            ("worst bias", [layer.bias_steps for layer in layers]),
            ("worst layer", [-layer.snr_db for layer in layers]),
        ):
            at = layers[errors.index(max(errors))]
            value = at.snr_db if name == "worst layer" else max(errors)
            self.add(f"{graph}, {name}", value, f"{at.layer}, of {len(layers)} layers")

    def add_probabilities(
        self,
        stage: str,
        int8: NDArray[np.float64],
        real: NDArray[np.floating],
        is_music: NDArray[np.bool_],
        detail: str,
    ) -> None:
        """Add how far a detector's int8 graph is from its float one, as probabilities and as a classifier.

        Parameters
        ----------
        stage : str
            Before the names of its figures.
        int8, real : ndarray of float, shape (n,), in [0, 1]
            P(music) of the same windows.
        is_music : ndarray of bool, shape (n,)
        detail : str
        """
        self.add(f"{stage}int8 to float, mean P(music)", np.abs(int8 - real).mean(), detail)
        in_float, in_int8 = (area_under_roc(values, is_music) for values in (real, int8))
        areas = f"{in_float:.4f} in float, {in_int8:.4f} in int8; {is_music.mean():.0%} music"
        self.add(f"{stage}ROC area lost by int8", in_float - in_int8, areas)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "subject": self.subject,
            "passed": all(figure.is_within for figure in self.figures),
            "figures": [figure.to_dict() for figure in self.figures],
            "layers": {graph: [layer.to_dict() for layer in layers] for graph, layers in self.layers.items()},
            "left_out": self.left_out,
        }

    def to_markdown(self) -> str:
        """Return the figures and layers as tables."""
        rows = [
            [one.name, f"{one.value:.6g}", one.bound, "ok" if one.is_within else "**out**", one.detail]
            for one in self.figures
        ]
        headings = ["figure", "value", "tolerance", "", "measured on"]
        lines = [f"# Export verification of {self.subject}", "", markdown_table(headings, rows, numbers=(1,))]
        headings = ["layer", "operation", "output", "kernel, steps", "bias, steps", "dB", "output, steps", "saturated"]
        for graph, layers in self.layers.items():
            table = markdown_table(headings, [layer.cells() for layer in layers], numbers=range(3, 8))
            lines += ["", f"## Quantization error by layer: {graph}", "", table]
        if self.left_out:
            lines += ["", "## Left out", ""]
            lines += [f"- {name}: {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines) + "\n"

    def check(self, *, strict: bool = False) -> None:
        """Raise where a figure is out of its tolerance.

        Parameters
        ----------
        strict : bool
            Whether what was left out counts as a failure.

        Raises
        ------
        ParityError
        """
        problems = [
            f"{figure.name}: expected {figure.bound}, found {figure.value:.6g} ({TOLERANCES[figure.name].meaning})"
            for figure in self.figures
            if not figure.is_within
        ]
        if strict:
            problems += [f"{name}: left out, because {reason}" for name, reason in self.left_out.items()]
        if problems:
            message = f"{self.subject} does not compute what was evaluated: {'; '.join(problems)}; export it again"
            raise ParityError(message)
