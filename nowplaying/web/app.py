"""The application behind the page: its routes, and errors as JSON that a person can read."""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nowplaying.web.indexing import MOST_FILE_BYTES, MOST_FILES, IndexJob, stamps_of
from nowplaying.web.session import Session
from nowplaying.web.upload import MOST_BYTES, MOST_SECONDS, TooLargeError, read_body, read_clip
from nowplaying_core import __version__
from nowplaying_core.audio import AUDIO_EXTENSIONS
from nowplaying_core.errors import AudioFormatError, ConfigError, DatabaseError, NowPlayingError
from ondevice_db.format.manifest import MANIFEST_NAME

__all__ = ["build_app"]

_HERE = Path(__file__).resolve().parent
_NAME = re.compile(r"[\w][\w .-]{0,60}")
_MOST_LIST_BYTES = 16 << 20  # of the names of files
_AT_ONCE = 2  # recordings in memory
_log = logging.getLogger(__name__)


class Pages:
    """The handlers of all routes.

    Parameters
    ----------
    session : Session
    token : str
        As of :class:`nowplaying.web.guard.Guard`.
    """

    def __init__(self, session: Session, token: str) -> None:
        self._session = session
        self._token = token
        self._job: IndexJob | None = None
        self._room = asyncio.Semaphore(_AT_ONCE)
        loader = jinja2.FileSystemLoader(_HERE / "templates")
        self._templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)

    async def page(self, _request: Request) -> Response:
        """Return the page."""
        limits = {
            "most_bytes": MOST_BYTES,
            "most_seconds": MOST_SECONDS,
            "most_files": MOST_FILES,
            "most_file_bytes": MOST_FILE_BYTES,
        }
        extensions = " ".join(sorted(AUDIO_EXTENSIONS))
        template = self._templates.get_template("page.html")
        return HTMLResponse(template.render(token=self._token, version=__version__, extensions=extensions, **limits))

    async def status(self, _request: Request) -> Response:
        """Return databases and history."""
        return JSONResponse({**self._session.status(), "index": self._job.state() if self._job else None})

    async def recognize(self, request: Request) -> Response:
        """Return all about the recording in the body."""
        async with self._room:
            file = await read_body(request, MOST_BYTES)
            return JSONResponse(await run_in_threadpool(lambda: self._session.answer(read_clip(file))))

    async def forget(self, _request: Request) -> Response:
        """Empty the history."""
        self._session.forget()
        return JSONResponse(self._session.status())

    async def start_index(self, request: Request) -> Response:
        """Begin to index the files that are listed in the body, and say which is wanted first."""
        asked = _table((await read_body(request, _MOST_LIST_BYTES)).data)
        stamps = stamps_of(asked.get("files") or [])
        if self._job is not None and self._job.is_running:
            message = "a folder is being indexed already; wait for it, or stop it"
            raise DatabaseError(message)
        database = self._target(str(asked.get("database") or ""))
        more = database if database != self._session.databases[0] else None
        job = IndexJob(
            database,
            stamps,
            fingerprinter=self._session.fingerprinter_model,
            on_done=partial(self._session.reopen, more),
            hop_s=self._session.hop_s,
        )
        self._job = job
        job.start()
        await run_in_threadpool(job.wait)
        return JSONResponse(job.state())

    async def index_state(self, _request: Request) -> Response:
        """Wait for the run a while, and say how far it is."""
        job = self._latest()
        await run_in_threadpool(job.wait)
        return JSONResponse(job.state())

    async def index_file(self, request: Request) -> Response:
        """Take the wanted file from the body, and say which is wanted next."""
        job = self._latest()
        number = request.path_params["number"]
        file = await read_body(request, MOST_FILE_BYTES)
        await run_in_threadpool(lambda: job.offer(number, file))
        return JSONResponse(job.state())

    async def stop_index(self, _request: Request) -> Response:
        """Stop indexing before the next file."""
        job = self._latest()
        job.stop()
        await run_in_threadpool(job.wait)
        return JSONResponse(job.state())

    def close(self) -> None:
        """Stop what runs."""
        if self._job is not None:
            self._job.stop()

    def _latest(self) -> IndexJob:
        if self._job is None:
            message = "no folder is being indexed; start again"
            raise DatabaseError(message)
        return self._job

    def _target(self, name: str) -> Path:
        """Return the database to index into: the one that was named, or a new one beside it."""
        first = self._session.databases[0]
        name = name.removesuffix(".npdb")
        if not name:
            return first
        if not _NAME.fullmatch(name):
            message = f"new database: expected letters, digits, spaces, '.', '_' and '-', found {name[:80]!r}"
            raise ConfigError(message)
        database = first.with_name(f"{name}.npdb")
        if database.exists() and not (database / MANIFEST_NAME).is_file():
            message = f"{database.name}: there is something else of that name; choose another"
            raise DatabaseError(message)
        return database


def build_app(session: Session, token: str) -> tuple[Starlette, Pages]:
    """Return the application, which nothing guards yet, and its handlers."""
    pages = Pages(session, token)
    routes = [
        Route("/", pages.page),
        Route("/api/status", pages.status),
        Route("/api/recognize", pages.recognize, methods=["POST"]),
        Route("/api/forget", pages.forget, methods=["POST"]),
        Route("/api/index", pages.start_index, methods=["POST"]),
        Route("/api/index", pages.index_state),
        Route("/api/index/stop", pages.stop_index, methods=["POST"]),
        Route("/api/index/{number:int}", pages.index_file, methods=["POST"]),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
    ]
    handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
        NowPlayingError: _known,
        HTTPException: _http,
        ClientDisconnect: _gone,
        MemoryError: _memory,
        Exception: _unknown,
    }
    return Starlette(routes=routes, exception_handlers=handlers), pages


def _table(data: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"expected JSON, found something else ({error})"
        raise ConfigError(message) from error
    if not isinstance(asked, dict) or not isinstance(asked.get("files", []), list):
        message = "expected a JSON object with a list of files"
        raise ConfigError(message)
    return asked


def _problem(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def _known(_request: Request, error: NowPlayingError) -> Response:
    if isinstance(error, TooLargeError):
        return _problem(413, "too-large", str(error))
    if isinstance(error, AudioFormatError):
        return _problem(422, "audio", str(error))
    return _problem(400 if isinstance(error, ConfigError) else 409, "refused", str(error))


async def _http(_request: Request, error: HTTPException) -> Response:
    return _problem(error.status_code, "refused", f"{error.detail}: there is nothing here of that name and method")


async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # which nobody reads: the page was closed while it sent


async def _memory(_request: Request, _error: MemoryError) -> Response:
    return _problem(507, "memory", "there is not enough memory; end other programs, or give a shorter recording")


async def _unknown(_request: Request, error: Exception) -> Response:
    _log.exception("a request failed", exc_info=error)
    return _problem(500, "internal", f"an error that was not expected ({type(error).__name__}); the terminal shows it")
