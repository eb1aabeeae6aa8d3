"""The grids of the literature: which conditions, lengths and hop each paper has, and its retrieval."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from evaluation.retrieval.conditions import Condition, Room

__all__ = ["GRIDS", "Grid"]

_SNRS_DB: Final = (0.0, 5.0, 10.0, 15.0)
_T60_ROOMS: Final[tuple[Room, ...]] = ("T60 0.2 s", "T60 0.4 s", "T60 0.5 s", "T60 0.7 s", "T60 0.8 s")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """One published protocol.

    Attributes
    ----------
    title : str
        Of what it follows.
    tables : mapping of str to tuple of Condition
        The columns of each table, at any length.
    lengths_s : tuple of float, seconds
        Its rows.
    hop_s : float, seconds
        Between references, and between query fingerprints.
    retrieval : {"majority", "diagonal"}
        The paper's own.
    note : str
        Where this differs from the paper.
    """

    title: str
    tables: Mapping[str, tuple[Condition, ...]]
    lengths_s: tuple[float, ...]
    hop_s: float
    retrieval: Literal["majority", "diagonal"]
    note: str

    def cells(self, lengths_s: Sequence[float]) -> Iterator[tuple[str, Condition]]:
        """Yield every cell at these lengths of query: its table, and its condition."""
        for table, columns in self.tables.items():
            for column in columns:
                for length_s in lengths_s:
                    yield table, replace(column, length_s=length_s)


GRIDS: Final[Mapping[str, Grid]] = {
    "attention-qbe": Grid(
        title="Singh, Demuynck and Arora, ISMIR 2022",
        tables={
            "noise": tuple(Condition(snr_db=snr, mulaw=False) for snr in _SNRS_DB),
            "room": tuple(Condition(room=room, mulaw=False) for room in _T60_ROOMS),
            "noise and room": tuple(
                Condition(snr_db=snr, room="T60 0.5 s", noise_in_room=True, mulaw=False) for snr in _SNRS_DB
            ),
        },
        lengths_s=(0.96, 2.0, 3.0, 5.0),
        hop_s=0.1,
        retrieval="majority",
        note="The paper searches 25,000 clips, and has ETSI noise and measured rooms.",
    ),
    "nafp": Grid(
        title="Chang et al., ICASSP 2021",
        tables={
            "noise and room": tuple(Condition(snr_db=snr, room="simulated", mulaw=False) for snr in (0.0, 5.0, 10.0))
        },
        lengths_s=(1.0, 2.0, 3.0, 5.0, 6.0, 8.0),
        hop_s=0.5,
        retrieval="diagonal",
        note="The paper searches 10,000 to 100,000 songs, draws the ratio from 0 to 10 dB, and ends at 10 s.",
    ),
}
