"""A running server with the demo's songs, and requests to it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.demo import index_demo_songs

SCRIPT = "from nowplaying.cli.main import main; main()"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def table(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    url: str
    process: "subprocess.Popen[str]"
    token: str = field(init=False)
    host: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.token, self.host = parse_qs(parts.query)["token"][0], parts.netloc

    def ask(
        self, path: str, body: bytes | None = None, *, method: str = "", token: str | None = None, **headers: str
    ) -> Answer:
        """Ask as the page does; keywords become headers, an underscore a dash, and an empty one leaves a header out."""
        given = {"x-nowplaying-token": self.token if token is None else token}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body=body, headers=given)
            got = connection.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            connection.close()


Start = Callable[..., AbstractContextManager[Server]]


@contextmanager
def running(*arguments: str | Path, script: str = SCRIPT, **options: Any) -> Iterator[Server]:
    """Run ``nowplaying serve`` on a free port."""
    command = [sys.executable, "-c", script, "serve", "--port", "0", "--no-browser", "--json", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Server(json.loads(line)["url"], process)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of the demo's songs. Tests that change it work on a copy."""
    path = tmp_path_factory.mktemp("demo") / "demo.npdb"
    index_demo_songs(path)
    return path


@pytest.fixture(scope="module")
def server(demo_database: Path) -> Iterator[Server]:
    with running("--db", demo_database) as found:
        yield found
