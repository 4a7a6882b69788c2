"""JSON columns that hold records: typed on the way in and out, tolerant of what older and newer versions wrote."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator


class TypedJson(TypeDecorator[Any]):
    """A column of one pydantic-readable type; members it does not know are ignored, those that lack get their defaults."""

    impl = JSON
    cache_ok = True

    def __init__(self, adapter: TypeAdapter[Any]) -> None:
        super().__init__(none_as_null=True)
        self.adapter = adapter

    def process_bind_param(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.adapter.dump_python(value, mode="json")

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        return None if value is None else self.adapter.validate_python(value)
