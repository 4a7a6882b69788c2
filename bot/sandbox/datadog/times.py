"""Datadog's ways of writing a moment, and the date math of its searches."""

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "mo": 2592000.0, "y": 31536000.0}
_MATH = re.compile(r"now(?:([+-])(\d{1,9})(mo|[smhdwy]))?(?:/[smhdwy])?")


def moment(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, UTC)


def micros(ts: float) -> str:
    """`2025-12-30T13:49:45.033566Z`, as most case members have it."""
    return moment(ts).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def nanos(ts: float) -> str:
    """Up to nine digits, trailing zeros dropped: `2026-01-24T00:47:45.477244496Z`."""
    whole = int(ts)
    digits = f"{round((ts - whole) * 1e6):06d}"[:6] + f"{int(ts * 7919) % 999 + 1:03d}"
    return f"{moment(whole).strftime('%Y-%m-%dT%H:%M:%S')}.{digits.rstrip('0')}Z"


def offset(ts: float) -> str:
    """`2023-06-02T20:53:26.300497+00:00`, as monitors, users and downtimes have it."""
    return (moment(ts) + timedelta(0)).isoformat(timespec="microseconds")


def seconds(ts: float) -> str:
    return moment(ts).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> float | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def parse_math(text: str, now: float) -> float | None:
    """`now-15m`, ISO 8601 or Unix milliseconds, to Unix seconds."""
    math = _MATH.fullmatch(text)
    if math:
        sign, amount, unit = math.groups()
        shift = float(amount) * _UNITS[unit] if amount else 0.0
        return now - shift if sign == "-" else now + shift
    if re.fullmatch(r"\d{10,14}", text):
        return int(text) / 1000
    return parse_iso(text)
