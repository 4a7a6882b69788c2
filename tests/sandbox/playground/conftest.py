"""One demo for all stories of a process: a start of the bot costs seconds. What a story counts on, it sets up itself."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.sandbox.playground.visitor import Visitor


def start_demo(folder: Path, *flags: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--no-open", *flags],
        cwd=folder,
        env={"PATH": os.environ.get("PATH", "")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("http://"):
            return process, line.strip()
    raise AssertionError(f"no address; it said: {''.join(said)}")


def end_demo(process: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> int:
    process.send_signal(how)
    process.communicate(timeout=60)
    return process.returncode


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, url = start_demo(tmp_path_factory.mktemp("demo"))
    yield url
    assert end_demo(process) == 130


@pytest.fixture
async def visitor(address: str) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        guest = Visitor(session, address)
        await guest.become("ana")
        yield guest
        for fault in (await guest.state())["faults"]["faults"]:
            if fault["active"]:
                await guest.does("fault", id=fault["id"], on=False)
        await guest.does("set_outcome", outcome="conclusive")
        await guest.does("set_speed", seconds=1)
