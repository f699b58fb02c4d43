"""A real browser: Debian's Chromium without a window, driven over its DevTools protocol.

Whoever has no Chromium has these tests skipped, and is told so; where CI=true they fail instead,
for there nothing may be skipped. The few commands that they need do not ask for a library, each of
which brings a browser or a driver of its own.

Source: Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

LIMIT = 30
NAMES = ("chromium", "chromium-browser", "google-chrome")
LISTENING = "DevTools listening on "
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowRight": (39, "")}
"""The code of each key, and what it types."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.interop)


class Tab:
    """One page of a browser.

    Attributes:
        complaints: what the browser wrote to its console, and errors.
        requests: the URL of everything that was loaded.
    """

    def __init__(self, line: ClientConnection) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._line = line
        self._number = 0
        self._session = ""
        self._loaded: set[str] = set()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Give a command and wait for its answer."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        self._line.send(json.dumps(command))
        while (said := self._heard()).get("id") != self._number:
            pass
        assert "error" not in said, (method, said)
        answer: dict[str, Any] = said["result"]
        return answer

    def close(self) -> None:
        self._session, target = "", self._target
        self.call("Target.closeTarget", targetId=target)

    def open(self, page: Path | str, *, width: int = 1280, dark: bool = False) -> None:
        """Open a file or a URL in a window of some width, and wait until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844 if width < 600 else 900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.requests.clear()
        url = page.as_uri() if isinstance(page, Path) else page
        loader = self.call("Page.navigate", url=url)["loaderId"]
        # The load of the empty page before it may still be told.
        while loader not in self._loaded:
            self._heard()

    def follow(self, script: str) -> None:
        """Do what leads to another page, a click or a form, and wait until that one is there."""
        before = set(self._loaded)
        self.ask(f"{script}, true")
        while self._loaded == before:
            self._heard()

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript; its value, or what it promises, has to be JSON."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        code, text = KEYS[key]
        pressed = {"key": key, "code": key.replace(" ", "Space"), "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        self.call("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def picture(self, file: Path, *, whole: bool = False) -> None:
        """Write a PNG of what is seen, or of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"clip": {**size, "scale": 1}} if whole else {}
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **clip)
        file.write_bytes(base64.b64decode(taken["data"]))

    def _heard(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._line.recv(timeout=LIMIT))
        params = said.get("params", {})
        match said.get("method"):
            case "Page.lifecycleEvent" if params["name"] == "load":
                self._loaded.add(params["loaderId"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params))
        return said


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClientConnection]:
    """Start a browser; gives the line on which it takes commands."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("needs Chromium, and CI skips nothing", pytrace=False)
    if found is None:
        # Beyond Python nothing is required of a developer's machine.
        pytest.skip("needs Chromium")
    profile = tmp_path_factory.mktemp("chromium")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    with subprocess.Popen(
        [found, *arguments, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            said = next((line for line in lines if line.startswith(LISTENING)), None)
            assert said is not None, "Chromium ended before it could be driven"
            # Nobody reads what else it says, and a pipe that is full would hold it up.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            url = said.removeprefix(LISTENING).strip()
            # No pings: their thread draws from `random` while other tests run, which Hypothesis
            # takes for a strategy that is not deterministic.
            with connect(url, max_size=None, proxy=None, ping_interval=None) as line:
                yield line
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def tab(browser: ClientConnection) -> Iterator[Tab]:
    tab = Tab(browser)
    yield tab
    tab.close()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Name a file for a picture, in a folder that git ignores, for people to look at."""
    folder = request.config.rootpath / ".botkit" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: folder / f"{name}.png"
