"""The demo as `make demo` starts it, a process of its own; and the Chromium of this machine to look at it with."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ADDRESS = "http://127.0.0.1:"
CHECKOUT = Path(__file__).parents[2]
START_WITHIN = 60.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# as root there is no sandbox; and no word to anywhere but the page
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find_chromium() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def running_demo(folder: Path) -> Iterator[str]:
    """Its address, as it prints it."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    environment = kept | {"PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "bot", "demo", "--no-open"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = _Printed(process.stdout)
    try:
        yield printed.address()
    finally:
        process.terminate()
        process.wait(30)
        printed.join()


class _Printed(threading.Thread):
    """Reads all that the demo prints, so that it is never held up."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._lines: list[str] = []
        self._address = ""
        self._known = threading.Event()
        self.start()

    def run(self) -> None:
        with self._stream:
            for line in self._stream:
                self._lines.append(line)
                if line.strip().startswith(ADDRESS) and not self._address:
                    self._address = line.strip().rstrip("/")
                    self._known.set()
        self._known.set()

    def address(self) -> str:
        self._known.wait(START_WITHIN)
        assert self._address, f"the demo printed no address:\n{''.join(self._lines)}"
        return self._address
