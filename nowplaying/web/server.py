"""Run the page's server on this machine's own address, until it is interrupted."""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from nowplaying_core.errors import NowPlayingError, needs_extra

__all__ = ["HOST", "serve"]

HOST = "127.0.0.1"
"""The only address that it listens on: no other machine can reach it."""


def serve(
    databases: Sequence[Path],
    *,
    port: int,
    detector: str | Path,
    fingerprinter: str | Path,
    on_ready: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    databases : sequence of Path
        As of :class:`nowplaying.web.session.Session`.
    port : int in [0, 65535]
        0 takes a free one.
    detector, fingerprinter : str or Path
        Shipped names or model folders.
    on_ready : callable
        Called with the page's address, which carries the token, as soon as it can be opened.

    Raises
    ------
    MissingExtraError
        Without the ``serve`` extra.
    NowPlayingError
        When the port is in use.
    DatabaseError, ArtifactError
        When a database or a model cannot be used.
    """
    with needs_extra("serve", "the web page"):
        import uvicorn

        from nowplaying.web.app import build_app
        from nowplaying.web.guard import Guard
    from nowplaying.web.session import Session

    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        message = f"--port {port}: cannot listen there ({error.strerror}); choose another, or 0 for any free one"
        raise NowPlayingError(message) from error
    with listener:
        session = Session(databases, detector=detector, fingerprinter=fingerprinter)
        token = secrets.token_urlsafe(24)
        app, pages = build_app(session, token)
        taken = listener.getsockname()[1]
        guarded = Guard(app, hosts={f"{HOST}:{taken}", f"localhost:{taken}"}, token=token)
        config = uvicorn.Config(
            guarded,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=64,
            timeout_graceful_shutdown=2,
        )

        class Announced(uvicorn.Server):
            """Prints its address once its handlers of signals stand: an earlier interrupt may be lost."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                on_ready(f"http://{HOST}:{taken}/?token={token}")

        try:
            Announced(config).run(sockets=[listener])
        except KeyboardInterrupt:  # which is how it ends
            pass
        finally:
            pages.close()
