"""The files of a database's folder: their roles in both layouts, with both kinds of codes."""

from collections.abc import Mapping
from typing import Literal, get_args

__all__ = ["CODE_KINDS", "LAYOUTS", "OPTIONAL_ROLES", "SCHEMAS", "CodeKind", "code_fits", "layout_files", "schema_of"]

LAYOUTS = ("flat", "pq")
CodeKind = Literal["product", "residual"]
CODE_KINDS: tuple[CodeKind, ...] = get_args(CodeKind)
SCHEMAS: Mapping[CodeKind, int] = {"product": 2, "residual": 4}  # 1 and 3 were never released
_PQ_FILES: Mapping[str, str] = {
    "songs": "sqlite",
    "song_starts": "npy",
    "list_starts": "npy",
    "codes": "npy",
    "centroids": "npy",
    "rotation": "npy",
    "pq_centroids": "npy",
    "cells": "ann",
    "order_bits": "npy",
    "order_counts": "npy",
    "cohort": "npy",
}
_RESIDUAL_FILES: Mapping[str, str] = {
    **{role: suffix for role, suffix in _PQ_FILES.items() if role != "pq_centroids"},
    "words": "npy",
    "word_steps": "npy",
    "smoothing": "npy",
}
OPTIONAL_ROLES = frozenset({"cohort"})  # of residual codes: without it, the directions of the cells are the cohort
_FLAT_FILES: Mapping[str, str] = {"songs": "sqlite", "song_starts": "npy", "vectors": "npy", "vectors_index": "ann"}


def layout_files(layout: str, code_kind: CodeKind = "product") -> Mapping[str, str]:
    """Return the roles of the files of a layout and kind of codes, and the suffix of the file that plays each."""
    if layout == "flat":
        return _FLAT_FILES
    return _RESIDUAL_FILES if code_kind == "residual" else _PQ_FILES


def schema_of(code_kind: CodeKind) -> int:
    """Return the schema that a database with such codes is written under: the oldest whose readers know them."""
    return SCHEMAS[code_kind]


def code_fits(n_bytes: int, dim: int, code_kind: CodeKind) -> bool:
    """Return whether codes of a kind can have so many bytes: parts must be of equal width, whole vectors need not."""
    return n_bytes >= 1 and (code_kind == "residual" or dim % n_bytes == 0)
