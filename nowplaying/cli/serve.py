"""``nowplaying serve``: a local web page."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from nowplaying.cli.options import Databases, DetectorModel, FingerprinterModel, Json, require_writable
from nowplaying.cli.output import emit_json, note, say
from nowplaying_core.artifacts import SHIPPED_DETECTOR, SHIPPED_FINGERPRINTER

__all__ = ["serve"]


def serve(
    databases: Databases,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port; 0 takes a free one.")] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    detector: DetectorModel = SHIPPED_DETECTOR,
    fingerprinter: FingerprinterModel = SHIPPED_FINGERPRINTER,
    as_json: Json = False,
) -> None:
    """Open a page on this machine to record, recognize and index music; Ctrl-C ends it."""
    from nowplaying.web.server import serve as serve_page

    def on_ready(address: str) -> None:
        if as_json:
            emit_json("serve/1", {"url": address})
        else:
            say(address)
        note("only this machine can open it; Ctrl-C ends it")
        if not no_browser and _has_desktop():
            webbrowser.open(address)

    if not databases[0].exists():
        require_writable("--db", databases[0])  # the first folder makes it
    serve_page(databases, port=port, detector=detector, fingerprinter=fingerprinter, on_ready=on_ready)


def _has_desktop() -> bool:
    # Without one, a browser in the terminal would take the terminal over.
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
