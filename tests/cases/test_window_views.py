"""The window of a case's labels and attributes: the field that fits each, and what differs from what it showed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cases.model import AttributeChanges
from bot.cases.window_views import MOST_CUSTOM, PLAIN, attributes_view, read_changes
from bot.datadog.case_attributes import CustomAttribute, CustomValue, merged, read_custom_values
from bot.datadog.cases import Case
from bot.sandbox.slack import blockkit as local_slack

TYPES = ("URL", "TEXT", "NUMBER", "SELECT")
SET_UP = (
    CustomAttribute("run", "Runbook", "URL", "t"),
    CustomAttribute("who", "Customer", "TEXT", "t", description="Who is affected"),
    CustomAttribute("cost", "Cost", "NUMBER", "t"),
    CustomAttribute("region", "Region", "SELECT", "t", options=("eu", "us")),
    CustomAttribute("zones", "Zones", "SELECT", "t", multi=True, options=("a", "b", "c")),
    CustomAttribute("hosts", "Hosts", "TEXT", "t", multi=True),
    CustomAttribute("free", "Free choice", "SELECT", "t"),
)
CASE = Case(
    "1",
    "K-1",
    "Disk",
    attributes=(("env", ("prod", "staging")), ("team", ("sre",))),
    custom=(
        CustomValue("who", "TEXT", values=("Acme",)),
        CustomValue("region", "SELECT", values=("mars",)),
        CustomValue("zones", "SELECT", multi=True, values=("a",)),
        CustomValue("hosts", "TEXT", multi=True, values=("db-1", "db-2")),
    ),
)


def view_of(case: Case = CASE, custom: tuple[CustomAttribute, ...] = SET_UP) -> dict[str, Any]:
    view = attributes_view(case, custom, "{}")
    assert local_slack.check_view(view, "modal") == []
    return view


def submitted(view: dict[str, Any], **typed: Any) -> AttributeChanges | dict[str, str]:
    """As Slack sends it back: fields by their label; those not told hold what they showed."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element, label = block["element"], block["label"]["text"]
        field = {"type": element["type"]}
        match element["type"]:
            case "static_select":
                chosen = typed.get(label, (element.get("initial_option") or {}).get("value"))
                field["selected_option"] = {"value": chosen} if chosen else None
            case "multi_static_select":
                held = [each["value"] for each in element.get("initial_options") or ()]
                field["selected_options"] = [{"value": each} for each in typed.get(label, held)]
            case _:
                field["value"] = typed.get(label, element.get("initial_value"))
        values[block["block_id"]] = {element["action_id"]: field}
    return read_changes({**view, "state": {"values": values}})


def test_each_kind_has_its_field() -> None:
    kinds = {block["label"]["text"]: block["element"]["type"] for block in view_of()["blocks"]}
    assert kinds == {
        "Cost": "number_input",
        "Customer": "plain_text_input",
        "Free choice": "plain_text_input",
        "Hosts": "plain_text_input",
        "Region": "static_select",
        "Runbook": "url_text_input",
        "Zones": "multi_static_select",
        "Labels and tags": "plain_text_input",
    }


def test_what_nobody_touched_is_no_change() -> None:
    assert submitted(view_of()) == AttributeChanges()


def test_only_what_differs_is_sent() -> None:
    changes = submitted(
        view_of(),
        Runbook="https://wiki.example/disk",
        Customer=None,
        Cost="12.50",
        Region="eu",
        Zones=["a", "c"],
        Hosts="db-1\n\n db-3 ",
        **{"Labels and tags": "env: prod\nowner: ana, ben"},
    )
    assert isinstance(changes, AttributeChanges)
    assert changes.plain == (("env", ("prod",)), ("owner", ("ana", "ben")), ("team", ()))
    assert {each.key: each.values for each in changes.custom} == {
        "run": ("https://wiki.example/disk",),
        "who": (),
        "cost": ("12.50",),
        "region": ("eu",),
        "zones": ("a", "c"),
        "hosts": ("db-1", "db-3"),
    }
    bodies = {each.key: each.body for each in changes.custom if each.values}
    assert bodies["cost"] == {"type": "NUMBER", "is_multi": False, "value": 12.5}
    assert bodies["zones"] == {"type": "SELECT", "is_multi": True, "value": ["a", "c"]}
    assert changes.changed == "Cost, Customer, Hosts, Region, Runbook, Zones, env, owner, team"
    assert merged(CASE.attributes, changes.plain) == {"env": ["prod"], "owner": ["ana", "ben"]}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"Runbook": "http://wiki"}, "“http://wiki” is no https:// link."),
        ({"Cost": "much"}, "“much” is no number."),
        ({"Cost": "nan"}, "“nan” is no number."),
        ({"Labels and tags": "env prod"}, "“env prod” names no attribute: write it like env: prod, staging."),
        ({"Labels and tags": "env:"}, "“env:” names no attribute"),
    ],
)
def test_what_is_wrong_is_said_under_its_field(typed: dict[str, str], words: str) -> None:
    problems = submitted(view_of(), **typed)
    assert isinstance(problems, dict)
    ((_, sentence),) = problems.items()
    assert words in sentence


def test_more_attributes_than_a_window_holds_are_counted() -> None:
    many = tuple(CustomAttribute(f"a{number}", f"A {number}", "TEXT", "t") for number in range(MOST_CUSTOM + 3))
    view = view_of(custom=many)
    assert "3 more attributes are in Datadog only" in str(view["blocks"])


_TEXT = st.text(max_size=300)


@given(_TEXT, _TEXT, _TEXT, st.sampled_from(TYPES), st.booleans())
def test_any_words_of_datadogs_make_a_window(key: str, name: str, value: str, kind: str, multi: bool) -> None:
    set_up = (CustomAttribute(key or "k", name or "n", kind, "t", multi, (value, name) if value else ()),)
    told = {"custom_attributes": {key or "k": {"type": kind, "is_multi": multi, "value": [value] if multi else value}}}
    case = Case("1", "K-1", "Disk", attributes=((key or "k", (value,)),), custom=read_custom_values(told))
    view = view_of(case, set_up)
    assert PLAIN in str(view)
    submitted(view)


@given(_TEXT)
def test_any_words_typed_are_read_or_refused(words: str) -> None:
    submitted(view_of(), Customer=words, Hosts=words, Cost=words, Runbook=words, **{"Labels and tags": words})
