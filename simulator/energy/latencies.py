"""Latencies measured on a real phone, which replace the estimate: what LiteRT's benchmark_model printed, or JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nowplaying_core.errors import ConfigError, unreadable
from simulator.energy.work import AnswerTimes, Models

__all__ = ["PhoneLatencies"]

_MOST_MS = 60_000.0
_KEYS = {"frontend.tflite", "encoder.tflite", "match_ms", "device"}
_GRAPHS = ("frontend.tflite", "encoder.tflite")
_LOG_LINE = re.compile(
    r"Graph: \[(?:[^\]]*/)?(?P<graph>[^/\]]+)\]|\bmedian=(?P<median>[\d.e+]+)|\(avg\): (?P<mean>[\d.e+]+)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneLatencies:
    """Measured times.

    Attributes
    ----------
    front_end_ms, encoder_ms, match_ms : float in [0, 60,000] or None, milliseconds
        Of one run of the graph, and of one look-up of eight seconds, to which an answer adds half of one for the query
        turned round; None leaves the estimate.
    source : str
        File and device, for the list of assumptions.

    Notes
    -----
    A log is what ``benchmark_model --graph=encoder.tflite --num_threads=1`` prints: ``Graph: [encoder.tflite]``, later
    ``median=6000``, and at the end ``Inference timings in us: ..., Inference (avg): 6500``, in microseconds. One file
    may hold the logs of both graphs, one after the other. The median counts where it is printed, else the mean.

    JSON holds under each graph's name the tool's ``BenchmarkResult`` message in its JSON form, which has
    ``latency_metrics`` with ``median_ms`` and ``avg_ms``, and may hold the time of a look-up::

        {"device": "Pixel 6", "frontend.tflite": {...}, "encoder.tflite": {...}, "match_ms": 35.0}
    """

    front_end_ms: float | None = None
    encoder_ms: float | None = None
    match_ms: float | None = None
    source: str

    @classmethod
    def load(cls, path: Path) -> "PhoneLatencies":
        """Read measured latencies.

        Raises
        ------
        ConfigError
            When the file is neither such a log nor such JSON.
        """
        try:
            text = path.read_text(encoding="utf-8")
            table = json.loads(text) if text.lstrip().startswith(("{", "[")) else _of_log(text)
        except (OSError, ValueError, RecursionError) as error:
            message = f"{path}: expected a log of benchmark_model, or latencies in JSON"
            raise unreadable(message, error) from error
        if not isinstance(table, dict) or not set(table) <= _KEYS or not set(table) - {"device"}:
            found = sorted(table) if isinstance(table, dict) else type(table).__name__
            message = f"{path}: expected some of the keys {sorted(_KEYS)}, found {found}"
            raise ConfigError(message)
        return cls(
            front_end_ms=_graph_ms(path, table, "frontend.tflite"),
            encoder_ms=_graph_ms(path, table, "encoder.tflite"),
            match_ms=None if "match_ms" not in table else _number(path, "match_ms", table["match_ms"]),
            source=f"measured on {table.get('device', 'a device')} ({path.name})",
        )

    def applied_to(self, times: AnswerTimes, models: Models) -> AnswerTimes:
        """Return the times of an answer by these models with measured ones in place of the estimate."""
        measured: dict[str, float] = {}
        if self.front_end_ms is not None:
            measured["front_end_s"] = models.n_windows * self.front_end_ms / 1000
        if self.encoder_ms is not None:
            measured["encoder_s"] = models.n_windows * self.encoder_ms / 1000
        if self.match_ms is not None:
            measured["match_s"] = self.match_ms / 1000 * models.n_windows / models.n_fingerprints
        if len(measured) == 3:
            # A measured time holds the reading too.
            measured["memory_s"] = 0.0
        return replace(times, **measured)


def _of_log(log: str) -> dict[str, Any]:
    """Return what a log of benchmark_model says about the graphs, as its JSON form would."""
    found: dict[str, dict[str, float]] = {}
    graph = ""
    for match in _LOG_LINE.finditer(log):
        if match["graph"] is not None:
            graph = match["graph"]
        elif graph in _GRAPHS:
            # Warming up is printed first, in the same words: the last figures count.
            name, text = ("median_ms", match["median"]) if match["median"] else ("avg_ms", match["mean"])
            found.setdefault(graph, {})[name] = float(text) / 1000
    if not found:
        message = f"found no 'Graph: [...]' of {' or '.join(_GRAPHS)} followed by 'Inference (avg): ...'"
        raise ValueError(message)
    return {name: {"latency_metrics": metrics} for name, metrics in found.items()}


def _graph_ms(path: Path, table: Mapping[str, Any], graph: str) -> float | None:
    if graph not in table:
        return None
    message = table[graph]
    metrics = message.get("latency_metrics", message.get("latencyMetrics")) if isinstance(message, dict) else None
    for name in ("median_ms", "medianMs", "avg_ms", "avgMs"):
        if isinstance(metrics, dict) and name in metrics:
            return _number(path, f"{graph}: {name}", metrics[name])
    text = f"{path}: {graph}: expected benchmark_model's latency_metrics with median_ms or avg_ms, found {message!r}"
    raise ConfigError(text)


def _number(path: Path, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_MS:
        message = f"{path}: {name}: expected milliseconds from 0 to {_MOST_MS:g}, found {value!r}"
        raise ConfigError(message)
    return float(value)
