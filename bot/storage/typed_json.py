"""JSON columns that hold records: typed on the way in and out, tolerant of what older and newer versions wrote."""

import logging
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands for a record that can't be read, so that the other rows of its query still are: whoever uses it fails alone."""

    problems: int

    def __getattr__(self, name: str) -> Any:
        raise ValueError(f"a stored record can't be read ({self.problems} problems), so it has no {name}")


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
        if value is None:
            return None
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            logger.error("a stored record can't be read: %s", error.errors(include_input=False, include_url=False))  # noqa: TRY400  values stay out of the log
            return Unreadable(error.error_count())
