"""Measures statements where the engine sends them."""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot import meters


def measure(engine: Engine) -> None:
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)


def _begin(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    if context is not None:
        context.began_at = time.perf_counter()


def _end(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    if hasattr(context, "began_at"):
        meters.DATABASE_TIME.observe(time.perf_counter() - context.began_at, _kind(context))


def _kind(context: Any) -> str:
    if context.isinsert:
        return "insert"
    if context.isupdate:
        return "update"
    if context.isdelete:
        return "delete"
    return "select" if context.compiled is not None else "other"
