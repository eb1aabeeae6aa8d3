"""Matplotlib, where it is installed: pictures go to files or into a notebook, so no display is needed."""

import io
from pathlib import Path
from typing import Any

from nowplaying_core.artifacts import write_bytes
from nowplaying_core.errors import needs_extra

__all__ = ["new_figure", "pyplot", "save_figure"]


def pyplot() -> Any:
    """Return ``matplotlib.pyplot`` on the backend that draws into files.

    Raises
    ------
    MissingExtraError
        When the report extra is not installed.
    """
    with needs_extra("report", "plotting"):
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt
    return plt


def new_figure(**options: Any) -> Any:
    """Return a figure that belongs to no window, for methods that return a picture to their caller.

    Parameters
    ----------
    **options
        As of ``matplotlib.figure.Figure``.

    Raises
    ------
    MissingExtraError
        When the report extra is not installed.
    """
    with needs_extra("report", "plotting"):
        from matplotlib.figure import Figure as PlainFigure

    class Figure(PlainFigure):
        """A figure that a notebook shows without any preparation."""

        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=100)
            return stream.getvalue()

    return Figure(layout="constrained", **options)


def save_figure(figure: Any, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : Path
        Whose ending names the format.
    **options
        As of ``Figure.savefig``.
    """
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix[1:], **options)
    write_bytes(path, content.getvalue())
