"""Latencies measured on a real phone, which replace the estimate: the JSON of LiteRT's benchmark_model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nowplaying_core.errors import ConfigError
from simulator.energy.work import AnswerTimes

__all__ = ["PhoneLatencies"]

_MOST_MS = 60_000.0
_KEYS = {"frontend.tflite", "encoder.tflite", "match_ms", "device"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PhoneLatencies:
    """Measured times.

    Attributes
    ----------
    front_end_ms, encoder_ms, match_ms : float in [0, 60,000] or None, milliseconds
        Of one run of the graph, and of one look-up of eight seconds; None leaves the estimate.
    source : str
        File and device, for the list of assumptions.

    Notes
    -----
    ``benchmark_model --graph=encoder.tflite --num_threads=1 --result_file_path=encoder.pb`` writes a
    ``BenchmarkResult`` message; its JSON form (``google.protobuf.json_format``) has ``latency_metrics`` with
    ``median_ms`` and ``avg_ms``. The file read here holds such a message under each graph's name::

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
            When the file is no such JSON.
        """
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            message = f"{path}: expected latencies in JSON ({error})"
            raise ConfigError(message) from error
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

    def applied_to(self, times: AnswerTimes, n_fingerprints: int) -> AnswerTimes:
        """Return the times of an answer with measured ones in place of the estimate."""
        measured: dict[str, float] = {}
        if self.front_end_ms is not None:
            measured["front_end_s"] = n_fingerprints * self.front_end_ms / 1000
        if self.encoder_ms is not None:
            measured["encoder_s"] = n_fingerprints * self.encoder_ms / 1000
        if self.match_ms is not None:
            measured["match_s"] = self.match_ms / 1000
        if len(measured) == 3:
            # A measured time holds the reading too.
            measured["memory_s"] = 0.0
        return replace(times, **measured)


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
