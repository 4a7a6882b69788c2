"""Block Kit's composition objects: texts, options, confirm dialogs, filters."""

from typing import Any

from bot.sandbox.slack.blockkit.rules import (
    Check,
    Problems,
    array,
    at_least_one,
    boolean,
    by_type,
    entries,
    exactly_one,
    obj,
    one_of,
    string,
)

URL = string(3000)
ID = string(255)
TYPE = string(50)
STYLE = one_of("primary", "danger")


def plain(longest: int) -> Check:
    return by_type({"plain_text": obj({"type": TYPE, "text": string(longest)}, {"emoji": boolean})})


def text(longest: int) -> Check:
    return by_type(
        {
            "plain_text": obj({"type": TYPE, "text": string(longest)}, {"emoji": boolean}),
            "mrkdwn": obj({"type": TYPE, "text": string(longest)}, {"verbatim": boolean}),
        }
    )


CONFIRM = obj(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": STYLE},
)
SLACK_FILE = obj({}, {"id": string(255), "url": URL}, also=[exactly_one("id", "url")])


def option(*, marked: bool = False, links: bool = False) -> Check:
    """`marked`: mrkdwn is allowed (checkboxes, radio buttons). `links`: a url is allowed (overflow)."""
    words = text(75) if marked else plain(75)
    extra: dict[str, Check] = {"description": words}
    if links:
        extra["url"] = URL
    return obj({"text": words, "value": string(150)}, extra)


OPTION = option()
OPTIONS = array(OPTION, high=100)
OPTION_GROUPS = array(obj({"label": plain(75), "options": OPTIONS}), high=100)
DISPATCH = obj({"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), high=2)})
FILTER = obj(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), high=4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
    also=[at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users")],
)


def listed_options(element: dict[str, Any]) -> list[Any]:
    """All options of a select, with or without groups."""
    groups = [
        entries(group.get("options")) for group in entries(element.get("option_groups")) if isinstance(group, dict)
    ]
    return [*entries(element.get("options")), *(chosen for group in groups for chosen in group)]


def _essence(chosen: Any) -> Any:
    if not isinstance(chosen, dict) or not isinstance(chosen.get("text"), dict):
        return chosen
    return {**chosen, "text": {key: chosen["text"].get(key) for key in ("type", "text")}}


def initial_among_options(name: str) -> Check:
    """Slack compares what is preselected with what is listed, and refuses a stranger."""

    def check(element: Any, where: str, problems: Problems) -> None:
        chosen = element.get(name)
        if chosen is None:
            return
        listed = [_essence(entry) for entry in listed_options(element)]
        for entry in chosen if isinstance(chosen, list) else [chosen]:
            if _essence(entry) not in listed:
                problems.add(f"{where}/{name}", "must be among the options")

    return check


def distinct_values(element: Any, where: str, problems: Problems) -> None:
    values = [entry.get("value") for entry in listed_options(element) if isinstance(entry, dict)]
    if len(values) != len(set(map(str, values))):
        problems.add(f"{where}/options", "option values must be unique")
