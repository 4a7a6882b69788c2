"""A bot of a newer version: whatever record it writes, it says more than this version knows, at every level."""

from typing import Any

from sqlalchemy import Dialect

from bot.storage.tables import TypedJson

_write = TypedJson.process_bind_param


def says_more(record: Any) -> Any:
    if isinstance(record, dict):
        return {name: says_more(value) for name, value in record.items()} | {"invented_later": {"deep": [1]}}
    return [says_more(each) for each in record] if isinstance(record, list) else record


def _writes_more(column: TypedJson, value: Any, dialect: Dialect) -> Any:
    return says_more(_write(column, value, dialect))


def newer() -> None:
    setattr(TypedJson, "process_bind_param", _writes_more)  # noqa: B010  in this process alone
