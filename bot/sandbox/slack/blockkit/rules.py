"""The small language Block Kit's rules are written in: checks that walk JSON and note what is wrong where.

What a block may hold stands in the modules beside this one, never here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Check = Callable[[Any, str, "Problems"], None]


class Problems:
    """What Slack would complain about, in its own style: the rule, then a pointer to the place."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, rule: str) -> None:
        self.found.append(f"{rule} [json-pointer:{where}]")

    def __bool__(self) -> bool:
        return bool(self.found)


def string(longest: int, *, shortest: int = 1) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add(where, "must be a string")
        elif len(value) > longest:
            problems.add(where, f"must be less than {longest + 1} characters")
        elif len(value) < shortest:
            problems.add(where, f"must be more than {shortest - 1} characters")

    return check


def boolean(value: Any, where: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add(where, "must be a boolean")


def integer(low: int, high: int) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problems.add(where, "must be an integer")
        elif not low <= value <= high:
            problems.add(where, f"must be between {low} and {high}")

    return check


def one_of(*allowed: Any) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(where, f"must be one of {', '.join(map(str, allowed))}")

    return check


def anything(_value: Any, _where: str, _problems: Problems) -> None:
    """Slack's own workflow parts, which no app of ours sends: accepted as they are."""


def array(item: Check, *, low: int = 1, high: int) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add(where, "must be an array")
            return
        if len(value) > high:
            problems.add(where, f"no more than {high} items allowed")
        if len(value) < low:
            problems.add(where, f"no fewer than {low} items allowed")
        for index, entry in enumerate(value):
            item(entry, f"{where}/{index}", problems)

    return check


def obj(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *,
    also: Iterable[Check] = (),
) -> Check:
    """An object with exactly these members; Slack refuses unknown ones. `also` are rules between members."""
    musts, mays = dict(required or {}), dict(optional or {})
    known = musts | mays

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(where, "must be an object")
            return
        for name in musts.keys() - value.keys():
            problems.add(where, f"missing required field: {name}")
        for name in value.keys() - known.keys():
            problems.add(where, f"no additional properties allowed: {name}")
        for name in known.keys() & value.keys():
            known[name](value[name], f"{where}/{name}", problems)
        for rule in also:
            rule(value, where, problems)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """One of several objects, told apart by `type`."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add(where, "must be an object")
        elif str(value.get("type")) not in kinds:
            problems.add(f"{where}/type", f"unsupported type: {value.get('type')}")
        else:
            kinds[str(value["type"])](value, where, problems)

    return check


def entries(value: Any) -> list[Any]:
    """What a list should hold, nothing when it is no list: its own check complains of that."""
    return value if isinstance(value, list) else []


def exactly_one(*names: str) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if sum(name in value for name in names) != 1:
            problems.add(where, f"exactly one of {', '.join(names)} is needed")

    return check


def at_least_one(*names: str) -> Check:
    def check(value: Any, where: str, problems: Problems) -> None:
        if not any(name in value for name in names):
            problems.add(where, f"at least one of {', '.join(names)} is needed")

    return check
