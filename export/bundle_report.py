"""Report on an export: every file with its size, every graph with its operations."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export.macs import count_macs
from export.operators import list_operators
from nowplaying_core.text import markdown_table

__all__ = ["BundleReport", "graph_facts"]


def graph_facts(path: Path) -> dict[str, Any]:
    """Return a graph's ``sha256``, ``bytes``, ``macs`` and ``operators`` {name: count}, all of them builtin."""
    graph = path.read_bytes()
    return {
        "sha256": hashlib.sha256(graph).hexdigest(),
        "bytes": len(graph),
        "macs": count_macs(graph),
        "operators": list_operators(graph, where=str(path)),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class BundleReport:
    """The files of an export, with the results of its checks.

    Attributes
    ----------
    path : Path
    files : dict
        Relative path to {"sha256", "bytes"}.
    graphs : dict
        Relative path to the result of :func:`graph_facts`.
    checks : dict
        Name of each check to its finding.
    """

    path: Path
    files: dict[str, dict[str, Any]]
    graphs: dict[str, dict[str, Any]]
    checks: dict[str, str]

    @property
    def n_bytes(self) -> int:
        """Size of all bundles."""
        return self.bytes_below("")

    def bytes_below(self, folder: str) -> int:
        """Return the size of a part, by the beginning of its files' paths."""
        return sum(record["bytes"] for name, record in self.files.items() if name.startswith(folder))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, without the place where it was written: two equal exports say the same."""
        return {
            "schema": "nowplaying/bundle/1",
            "bytes": self.n_bytes,
            "files": self.files,
            "graphs": self.graphs,
            "checks": self.checks,
        }

    def to_markdown(self) -> str:
        """Return sizes and operations as tables."""
        graphs = [
            [
                f"`{name}`",
                f"{facts['bytes']:,}",
                f"{facts['macs']:,}",
                ", ".join(f"{count} {operator}" for operator, count in facts["operators"].items()),
            ]
            for name, facts in self.graphs.items()
        ]
        files = [[f"`{name}`", f"{record['bytes']:,}"] for name, record in self.files.items()]
        headings = ["graph", "bytes", "multiply-accumulates", "operations"]
        lines = ["# Export", "", markdown_table(headings, graphs, numbers=(1, 2)), ""]
        lines += [markdown_table(["file", "bytes"], [*files, ["all", f"{self.n_bytes:,}"]], numbers=(1,)), ""]
        lines += [f"- {name}: {found}" for name, found in self.checks.items()]
        return "\n".join(lines) + "\n"
