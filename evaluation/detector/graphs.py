"""A detector's graphs as files, of one stage or two, for processes that each open them anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from detector.second_stage import SECOND_STAGE_FILE, SecondStage
from detector.stream import MODEL_FILE
from nowplaying_core.manifest import ModelFolder
from nowplaying_core.runtime import TfliteModel

__all__ = ["DetectorGraphs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectorGraphs:
    """The files of one detector.

    Attributes
    ----------
    first : Path
        Graph of the stage that always runs.
    second : Path or None
        Graph of the stage that confirms it.
    wanted_above : int in [0, 256]
        The first stage's smallest output, in 256ths, for which the second is run.
    """

    first: Path
    second: Path | None = None
    wanted_above: int = 0

    @classmethod
    def of(cls, folder: ModelFolder) -> Self:
        """Return those of a shipped or exported detector, whose files are checked against its manifest."""
        cascade = folder.manifest.get("cascade")
        if cascade is None:
            return cls(first=folder.file(MODEL_FILE))
        second, wanted_above = folder.file(SECOND_STAGE_FILE), int(cascade["wanted_above"])
        return cls(first=folder.file(MODEL_FILE), second=second, wanted_above=wanted_above)

    def first_stage(self, *, reference_kernels: bool) -> TfliteModel:
        """Open the first stage."""
        return TfliteModel(self.first, reference_kernels=reference_kernels)

    def second_stage(self, *, reference_kernels: bool, always: bool = False) -> SecondStage | None:
        """Open the second stage, if there is one.

        Parameters
        ----------
        reference_kernels : bool
        always : bool
            Run it whatever the first stage puts out.
        """
        if self.second is None:
            return None
        model = TfliteModel(self.second, reference_kernels=reference_kernels)
        return SecondStage(model, 0 if always else self.wanted_above)
