"""Counts the calls to Slack where they leave, whoever makes them. Nothing of a call is kept but how it ended."""

from typing import Any

from aiohttp import ClientSession, TraceConfig, TraceRequestEndParams

from bot import meters

_LIMITED = 429


def metered() -> TraceConfig:
    config = TraceConfig()
    config.on_request_end.append(_ended)
    config.on_request_exception.append(_failed)
    return config


async def _ended(_session: ClientSession, _context: Any, told: TraceRequestEndParams) -> None:
    status = told.response.status
    if status == _LIMITED:
        meters.RATE_WAITS.add("slack", by=_seconds(told.response.headers.get("Retry-After", "")))
        meters.CALLS.add("slack", "limited")
    else:
        # what Slack refuses it answers with 200, in a body that is read elsewhere
        meters.CALLS.add("slack", "ok" if status < 400 else "failed")


async def _failed(*_: object) -> None:
    meters.CALLS.add("slack", "failed")


def _seconds(value: str) -> float:
    return float(value) if value.isascii() and value.isdigit() else 1.0
