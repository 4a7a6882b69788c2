"""What runs in the background ends when Slack does, even if it misses the first word of that."""

import asyncio

from bot.sandbox.slack.changes import Background


async def test_whoever_was_answered_as_it_was_told_to_stop_is_told_again() -> None:
    background, begun, heard = Background(), asyncio.Event(), []

    async def delivers() -> None:
        begun.set()
        for attempt in ("first", "retry"):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard.append(attempt)
        raise asyncio.CancelledError

    background.start(delivers())
    await begun.wait()
    async with asyncio.timeout(30):
        await background.stop()
    assert heard == ["first", "retry"]
