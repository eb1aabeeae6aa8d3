"""A real browser without a window, driven through a pipe by its own protocol: no other program, no port.

Pictures of the local page and its tests are made with it.
"""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["CHROMIUM", "Chrome", "headless"]

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM: Final = next((found for name in NAMES if (found := shutil.which(name))), None)
"""The browser's program, or None (Debian: apt-get install chromium)."""

_TIMEOUT_S: Final = 120.0
# The protocol reads from descriptor 3 and writes to 4; the copies come first, for the given ones may be these.
_WITH_PIPES = """
import fcntl, os, sys
for given, wanted in [(fcntl.fcntl(int(one), fcntl.F_DUPFD, 10), 3 + i) for i, one in enumerate(sys.argv[1:3])]:
    os.dup2(given, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""


def headless() -> list[str]:
    """Return the beginning of a command line for the browser."""
    _expect(CHROMIUM is not None, "no Chromium here (Debian: apt-get install chromium)")
    wanted = (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-background-networking",
        "no-first-run",
        "hide-scrollbars",
    )
    return [str(CHROMIUM), *(f"--{one}" for one in wanted)]


class Chrome:
    """One page in a browser of its own.

    Parameters
    ----------
    folder : Path
        For the browser's profile.
    microphone : Path, optional
        WAV file that the microphone plays once.
    """

    def __init__(self, folder: Path, microphone: Path | None = None) -> None:
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        command = [
            *headless(),
            "--remote-debugging-pipe",
            f"--user-data-dir={folder / 'profile'}",
            "--autoplay-policy=no-user-gesture-required",
        ]
        if microphone is not None:
            command += [
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ]
        else:
            command += ["--deny-permission-prompts"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WITH_PIPES, str(to_browser), str(from_browser), *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)},
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)
        os.close(self._in)
        os.close(self._out)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it are kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                _expect("error" not in answer, f"{method}: {answer.get('error')}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def open(self, address: str, *, width: int = 1000, height: int = 900, dark: bool = False) -> None:
        """Open a page at a size, in the light or in the dark, and wait until it has loaded."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url=address)
        opened = "!document.getElementById('databases')?.textContent.startsWith('Opening')"
        self.wait(f"document.readyState === 'complete' && {opened}")

    def value(self, expression: str) -> Any:
        """Return the value of an expression, awaited."""
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        _expect("exceptionDetails" not in done, str(done.get("exceptionDetails")))
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _TIMEOUT_S
        while not self.value(condition):
            if time.monotonic() >= end:
                message = f"{condition} never came true\n{self.value('document.body.innerText')}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def choose(self, selector: str, files: list[Path]) -> None:
        """Give files (or the folder) to an input, as a person does who chooses them."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file.resolve()) for file in files])

    def press(self, key: str, text: str = "") -> None:
        """Press a key and let it go."""
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        known = {"key": key, "windowsVirtualKeyCode": codes[key], "code": {" ": "Space"}.get(key, key)}
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **known)
        self.send("Input.dispatchKeyEvent", type="keyUp", **known)

    def picture(self, path: Path) -> None:
        """Write the whole page as PNG."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def requested(self) -> list[str]:
        """Return the addresses that were asked for so far."""
        self.value("1")
        sent = (event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent")
        return [one["request"]["url"] for one in sent]

    def complaints(self) -> list[str]:
        """Return what the console says: errors of scripts, and what the page's own policy refused."""
        self.value("1")
        entries = [event["params"]["entry"] for event in self.events if event.get("method") == "Log.entryAdded"]
        thrown = [event["params"] for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        return [f"{one['level']}: {one['text']}" for one in entries] + [str(one) for one in thrown]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], _TIMEOUT_S)
            _expect(bool(ready), "the browser does not answer")
            part = os.read(self._in, 1 << 20)
            _expect(bool(part), "the browser has ended")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


def _expect(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise RuntimeError(message)
