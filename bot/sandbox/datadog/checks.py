"""Strict reading of request bodies: every member known, every type right, or a 400 in Datadog's words."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.datadog.answers import Json, bad_request

Check = Callable[[Any, str], None]

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


def type_name(value: object) -> str:
    return _NAMES.get(type(value), "null")


def _wrong(where: str, value: object, expected: str) -> Exception:
    return bad_request(
        f'error decoding attribute "{where.rpartition(".")[2]}": invalid type {type_name(value)}, expected {expected}',
        source={"pointer": "/" + where.replace(".", "/")},
    )


def text(value: Json, where: str) -> None:
    if not isinstance(value, str):
        raise _wrong(where, value, "string")


def filled(value: Json, where: str) -> None:
    text(value, where)
    if not value.strip():
        raise bad_request()


def digits(value: Json, where: str) -> None:
    text(value, where)
    if not re.fullmatch(r"[0-9]{1,20}", value):
        raise bad_request(f'invalid value for "{where.rpartition(".")[2]}": not a numeric id')


def uuid(value: Json, where: str) -> None:
    text(value, where)
    if not UUID.fullmatch(value):
        raise bad_request()


def integer(value: Json, where: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(where, value, "integer")


def boolean(value: Json, where: str) -> None:
    if not isinstance(value, bool):
        raise _wrong(where, value, "boolean")


def anything(value: Json, where: str) -> None:
    """Checked by whoever reads it."""


def optional(check: Check) -> Check:
    def checked(value: Json, where: str) -> None:
        if value is not None:
            check(value, where)

    return checked


def one_of(*allowed: str) -> Check:
    def checked(value: Json, where: str) -> None:
        text(value, where)
        if value not in allowed:
            name = where.rpartition(".")[2]
            raise bad_request(f'invalid value "{value}" for "{name}". Must be one of {", ".join(allowed)}')

    return checked


def at_most(length: int) -> Check:
    def checked(value: Json, where: str) -> None:
        filled(value, where)
        if len(value) > length:
            raise bad_request(f"{where.rpartition('.')[2]} must be at most {length} characters")

    return checked


def many(check: Check, *, least: int = 0, most: int | None = None) -> Check:
    def checked(value: Json, where: str) -> None:
        if not isinstance(value, list):
            raise _wrong(where, value, "array")
        if len(value) < least or (most is not None and len(value) > most):
            raise bad_request(f'"{where.rpartition(".")[2]}" must hold {least} to {most} items, got {len(value)}')
        for index, item in enumerate(value):
            check(item, f"{where}.{index}")

    return checked


def table(check: Check) -> Check:
    """An object whose names are the sender's own."""

    def checked(value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, value, "object")
        for name, member in value.items():
            check(member, f"{where}.{name}")

    return checked


def record(required: Mapping[str, Check], may: Mapping[str, Check] | None = None) -> Check:
    """An object with exactly these members."""
    known = {**required, **(may or {})}

    def checked(value: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, value, "object")
        for name in required:
            if name not in value:
                raise bad_request(f'missing required attribute "{name}"', source={"pointer": f"/{where}/{name}"})
        for name, member in value.items():
            if name not in known:
                raise bad_request(f'unknown attribute "{name}"', source={"pointer": f"/{where}/{name}"})
            known[name](member, f"{where}.{name}")

    return checked


def resource(kind: str, attributes: Check | None = None, relationships: Check | None = None) -> Check:
    """`{"data": {"type": kind, ...}}`. A wrong type is refused before anything else, as recorded."""
    required: dict[str, Check] = {"type": anything}
    if attributes:
        required["attributes"] = attributes
    inner = record(required, {"relationships": relationships} if relationships else None)

    def checked(value: Json, where: str) -> None:
        check_type(value, kind)
        inner(value, where)

    return record({"data": checked})


def reference(kind: str) -> Check:
    """`{"data": {"id": "...", "type": kind}}`"""

    def checked(value: Json, where: str) -> None:
        check_type(value, kind)
        record({"id": filled, "type": anything})(value, where)

    return record({"data": checked})


def check_type(data: Json, kind: str) -> None:
    got = data.get("type") if isinstance(data, dict) else None
    if got != kind:
        said = got if isinstance(got, str) else ""
        raise bad_request(f'got type "{said}" expected one of "{kind}"')


def _no_duplicates(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def parse(raw: bytes) -> Json:
    try:
        return json.loads(raw, object_pairs_hook=_no_duplicates)
    except ValueError:
        raise bad_request("invalid JSON in the request body") from None


def number_param(query: Mapping[str, str], name: str, default: int, *, least: int, most: int | None = None) -> int:
    raw = query.get(name)
    if raw is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", raw):
        raise bad_request(
            f'invalid parameter "{name}" in "query"; expected type "integer"', "Invalid Parameter"
        ) from None
    value = int(raw)
    if value < least or (most is not None and value > most):
        limit = f"at most {most}" if most is not None and value > most else f"at least {least}"
        raise bad_request(f'invalid parameter "{name}" in "query"; must be {limit}', "Invalid Parameter")
    return value
