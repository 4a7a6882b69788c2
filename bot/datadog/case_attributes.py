"""What cases carry beside their own members: attributes (labels and tags: lists of words by name) and the custom attributes that
an organisation adds to a type. No calls here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.datadog.client import JsonObject, flag, member, objects, text, texts

LINK, NUMBER, SELECT = "URL", "NUMBER", "SELECT"  # and TEXT; another kind is taken for text

Attributes = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CustomAttribute:
    """As the organisation has set it up for the cases of one type."""

    key: str
    name: str
    kind: str
    type_id: str
    multi: bool = False
    options: tuple[str, ...] = ()  # of a select, as far as Datadog tells them
    description: str = ""


@dataclass(frozen=True, slots=True)
class CustomValue:
    """What one case holds in a custom attribute; without values it holds nothing. Numbers are as written."""

    key: str
    kind: str
    multi: bool = False
    values: tuple[str, ...] = ()

    @property
    def body(self) -> JsonObject:
        held = [_number(each) if self.kind == NUMBER else each for each in self.values]
        return {"type": self.kind, "is_multi": self.multi, "value": held if self.multi else held[0]}


def _number(written: str) -> float | int:
    number = float(written)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def read_attributes(told: object) -> Attributes:
    held = member(told, "attributes")
    if not isinstance(held, Mapping):
        return ()
    return tuple((str(name), texts(held, str(name))) for name in held if texts(held, str(name)))


def read_custom_values(told: object) -> tuple[CustomValue, ...]:
    held = member(told, "custom_attributes")
    if not isinstance(held, Mapping):
        return ()
    return tuple(_custom_value(str(key), value) for key, value in held.items() if isinstance(value, Mapping))


def _custom_value(key: str, told: Mapping[str, Any]) -> CustomValue:
    value, multi = told.get("value"), flag(told, "is_multi")
    values = value if isinstance(value, list) else [value]
    return CustomValue(key, text(told, "type"), multi, tuple(filter(None, map(_words, values))))


def _words(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return text({"": value}, "") if isinstance(value, str) else f"{value:.15g}"


def read_custom_attributes(answer: JsonObject) -> Iterator[CustomAttribute]:
    for each in objects(answer, "data"):
        told = member(each, "attributes")
        key = text(told, "key")
        if key:
            options = tuple(text(option, "value") for option in objects(told, "type_data", "options"))
            yield CustomAttribute(
                key,
                text(told, "display_name") or key,
                text(told, "type"),
                text(told, "case_type_id"),
                flag(told, "is_multi"),
                tuple(filter(None, options)),
                text(told, "description"),
            )


def merged(held: Attributes, changed: Attributes) -> dict[str, list[str]]:
    """All attributes once some of them are set anew; one without values is gone."""
    both = {**dict(held), **dict(changed)}
    return {name: list(values) for name, values in both.items() if values}
