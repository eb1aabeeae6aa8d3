"""Matplotlib, where it is installed: pictures are written to files, so no display is needed."""

from typing import Any

from nowplaying_core.errors import MissingExtraError

__all__ = ["pyplot"]


def pyplot() -> Any:
    """Return ``matplotlib.pyplot`` on the backend that draws into files.

    Raises
    ------
    MissingExtraError
        When the report extra is not installed.
    """
    try:
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError as error:
        extra, purpose = "report", "plotting"
        raise MissingExtraError(extra, purpose, error) from error
    return plt
