"""Pages read back without a browser, and opened in headless Chromium without a network."""

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import zlib

import numpy as np
import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium():
    """Where Chromium is, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser without a network, with one page; used as a context."""

    def __init__(self, width=1400, height=1000):
        self.size = width, height
        self.log, self.requests = [], []
        self._ids, self._buffer = itertools.count(1), b""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_by_it, self._out = os.pipe()
        self._in, written_by_it = os.pipe()
        os.set_blocking(self._in, False)
        # Chromium reads 3 and writes 4
        command = f'exec "$@" 3<&{read_by_it} 4>&{written_by_it}'
        options = [
            "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--hide-scrollbars", "--force-device-scale-factor=1",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={self.folder.name}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", find_chromium(), *options, "about:blank"],
            pass_fds=(read_by_it, written_by_it), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_by_it)
        os.close(written_by_it)
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(*self.size)
        return self

    def __exit__(self, *_):
        self._send("Browser.close")
        self._process.wait(20)
        os.close(self._in)
        os.close(self._out)
        self.folder.cleanup()

    def resize(self, width, height, *, mobile=False):
        self.size = width, height
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, path):
        """Open a page from the disk, and wait until it is ready."""
        self.log.clear()
        self.requests.clear()
        self.call("Page.navigate", {"url": path.as_uri()})
        self.wait_for("document.body && document.body.dataset.ready === 'yes'")

    def wait_for(self, expression, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.evaluate(expression):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{expression} did not become true; the log says {self.log}")

    def evaluate(self, expression):
        """The value of an expression of JavaScript; a promise is awaited."""
        options = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        found = self.call("Runtime.evaluate", options)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    def settle(self):
        """Wait until what was asked for is drawn."""
        self.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def mouse(self, kind, x, y, **more):
        event = {"type": kind, "x": x, "y": y, **more}
        self.call("Input.dispatchMouseEvent", event)

    def move(self, x, y):
        self.mouse("mouseMoved", x, y)
        self.settle()

    def click(self, x, y):
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1, buttons=1)
        self.settle()

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key})
        self.settle()

    def picture(self, path):
        """Write the whole page as a PNG."""
        options = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", options)["data"]))

    def call(self, method, parameters=None):
        return self._send(method, parameters, self._session)

    def _send(self, method, parameters=None, session=None):
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            answer = self._receive()
            if answer is None:
                time.sleep(0.002)
            elif answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]
            else:
                self._note(answer)
        raise TimeoutError(f"Chromium does not answer {method}")

    def _receive(self):
        while b"\0" not in self._buffer:
            try:
                read = os.read(self._in, 1 << 20)
            except BlockingIOError:
                return None
            if not read:
                raise RuntimeError("Chromium has ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        """Keep what the console says, and what is asked of a network."""
        method, told = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            said = " ".join(str(a.get("value", a.get("description"))) for a in told["args"])
            self.log.append((told["type"], said))
        elif method == "Runtime.exceptionThrown":
            self.log.append(("error", json.dumps(told["exceptionDetails"])[:2000]))
        elif method == "Log.entryAdded":
            self.log.append((told["entry"]["level"], told["entry"]["text"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"][:200])


@pytest.fixture(scope="session")
def browser():
    """Chromium without a network; tests that need one are skipped where there is none."""
    if find_chromium() is None:
        pytest.skip(f"there is no Chromium ({', '.join(NAMES)}); apt-get install chromium")
    with Chromium() as chromium:
        yield chromium


@pytest.fixture
def read_page():
    """Reads the texts and the numbers of a page as another program would."""

    def element(page, name):
        return re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', page, re.DOTALL)[1]

    def read(page):
        texts, numbers = json.loads(element(page, "texts")), {}
        raw = zlib.decompress(base64.b64decode(element(page, "numbers")))
        start = 0
        for entry in texts["contents"]:
            kind = np.dtype(entry["kind"]).newbyteorder("<")
            end = start + kind.itemsize * entry["length"]
            bytes_ = np.frombuffer(raw[start:end], np.uint8).reshape(kind.itemsize, -1)
            numbers[entry["name"]] = np.frombuffer(bytes_.T.tobytes(), kind)
            start = end
        assert start == len(raw)
        return texts, numbers

    return read
