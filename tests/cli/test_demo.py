"""`bits-bot demo` as people start it: the page, over either way to Slack, and the prompt that no word ends."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.sandbox.playground.conftest import end_demo, start_demo
from tests.sandbox.playground.visitor import Visitor, words

WORDS = """
dance
alert earthquake
click
click Nonsense
fill Title
fill "Title = x
as nobody
submit
outcome luck
speed soon
finish
case
fill Project = Nowhere
fill Project = Payments (PAY)
fill Assignee = ghost
fill Assignee = ben
submit
as cora
home
show nowhere
break flood
kill
/bits status
start
as ana
outcome failed
alert log
investigate
close
click run again
quit
"""


async def test_no_word_ends_the_prompt_and_a_case_is_made_there(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--no-page"),
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(f"{WORDS}{'x' * 70_000}\nquit\n".encode()), 80)
    told = output.decode()
    assert process.returncode == 0, told
    for sentence in (
        "I don't know 'dance'.",
        "There is no kind of alert called 'earthquake'.",
        "What? As in: click Full report",
        "No message shows [Nonsense].",
        "What, and with what? As in: fill Title = Checkout is slow",
        "There is no window open.",
        "There is no 'nobody'; there is ana, ben, cora, gil, olga.",
        "No run ends 'luck'.",
        "The speed is a number of seconds.",
        "No investigation is running.",
        "'Nowhere' is not offered; there is 'Payments (PAY)', 'Site reliability (SRE)'",
        "There is no 'ghost'; there is ana, ben, cora, gil, olga.",
        "Assignee: ben",
        "Creating the case",
        "For admins",
        "cora sees no channel 'nowhere'.",
        "Nothing breaks like 'flood'.",
        "/bits failed with the error “dispatch_failed” (the app is not connected)",
        "The bot is running.",
        "Triggered: Errors in the logs of payments-api",
    ):
        assert sentence in told
    assert "No message shows [run again]" not in told, "it stands behind the three dots"
    assert "broke off" not in told


async def test_over_http_the_bot_takes_signed_requests_and_a_stop_takes_it_along(tmp_path: Path) -> None:
    demo, url = await asyncio.to_thread(start_demo, tmp_path, "--http")
    try:
        async with aiohttp.ClientSession() as session:
            visitor = Visitor(session, url)
            await visitor.become("ana")
            await visitor.does("say", channel=await visitor.channel("payments"), text="/bits help")
            state = await visitor.sees(lambda state: "/bits investigate" in words(state))
            assert state["faults"]["mode"] == "http"
            connected = [call for call in state["journal"] if call["what"] == "apps.connections.open"]
            assert connected == []
            await visitor.does("bot", do="restart")
            await visitor.sees(lambda state: state["faults"]["bot"] == "starting")
            await visitor.sees(lambda state: state["faults"]["bot"] == "running")
            thread = str((await visitor.does("fire", kind="metric"))["ts"])
            await visitor.clicks("Investigate", thread=thread)
            await visitor.sees(lambda state: "AI-written" in words(state, thread))
    finally:
        bots = children_of(demo.pid)
        code = await asyncio.to_thread(end_demo, demo, signal.SIGTERM)
    assert (code, [bot.exists() for bot in bots]) == (130, [False])


def children_of(pid: int) -> list[Path]:
    return [Path("/proc", child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("port", ["-1", "65536", "eighty"])
async def test_a_port_that_is_none_is_told(tmp_path: Path, port: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", port),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"is no port" in output or b"expected one argument" in output
