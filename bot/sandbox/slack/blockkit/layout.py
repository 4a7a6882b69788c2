"""Block Kit's blocks: what each holds, and on which surfaces Slack takes it."""

from typing import Any, Literal

from bot.sandbox.slack.blockkit.elements import (
    ELEMENTS,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    MODAL_INPUT_ONLY,
    elements,
)
from bot.sandbox.slack.blockkit.objects import ID, SLACK_FILE, TYPE, URL, plain, text
from bot.sandbox.slack.blockkit.richtext import DATA_TABLE, RICH_TEXT, TABLE
from bot.sandbox.slack.blockkit.rules import (
    Check,
    Problems,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    entries,
    exactly_one,
    integer,
    obj,
    one_of,
    string,
)

Surface = Literal["message", "modal", "home"]
EVERYWHERE: tuple[Surface, ...] = ("message", "modal", "home")
MESSAGE: tuple[Surface, ...] = ("message",)


def _block(required: dict[str, Check], *, also: list[Check] | None = None, **optional: Check) -> Check:
    return obj({"type": TYPE, **required}, {"block_id": ID, **optional}, also=also or [])


def _distinct_action_ids(block: Any, where: str, problems: Problems) -> None:
    ids = [entry.get("action_id") for entry in entries(block.get("elements")) if isinstance(entry, dict)]
    given = [name for name in ids if name is not None]
    if len(given) != len(set(map(str, given))):
        problems.add(f"{where}/elements", "action_id already exists in this block")


_CONTEXT_PARTS: dict[str, Check] = {
    "image": IMAGE,
    "plain_text": text(3000),
    "mrkdwn": text(3000),
}
_BUTTONS = array(by_type({"button": ELEMENTS["button"]}), high=3)
_SOURCE = obj({"type": one_of("url"), "url": URL, "text": string(3000)})

_TASK = _block(
    {"task_id": string(255), "title": string(3000)},
    status=one_of("pending", "in_progress", "complete", "error"),
    details=RICH_TEXT,
    output=RICH_TEXT,
    sources=array(_SOURCE, low=0, high=100),
)

_SIMPLE: dict[str, Check] = {
    "section": _block(
        {},
        text=text(3000),
        fields=array(text(2000), high=10),
        accessory=by_type(elements(IN_SECTION)),
        expand=boolean,
        also=[at_least_one("text", "fields")],
    ),
    "header": _block({"text": plain(150)}, level=integer(1, 4)),
    "context": _block({"elements": array(by_type(_CONTEXT_PARTS), high=10)}),
    "actions": _block({"elements": array(by_type(elements(IN_ACTIONS)), high=25)}, also=[_distinct_action_ids]),
    "divider": _block({}),
    "image": _block(
        {"alt_text": string(2000)},
        image_url=URL,
        slack_file=SLACK_FILE,
        title=plain(2000),
        also=[exactly_one("image_url", "slack_file")],
    ),
    "video": _block(
        {"alt_text": string(2000), "title": plain(200), "thumbnail_url": URL, "video_url": URL},
        author_name=string(50),
        description=plain(200),
        provider_icon_url=URL,
        provider_name=string(50),
        title_url=URL,
    ),
    "rich_text": RICH_TEXT,
    "input": _block(
        {"label": plain(2000), "element": by_type(elements(IN_INPUT))},
        hint=plain(2000),
        optional=boolean,
        dispatch_action=boolean,
    ),
    "file": _block({"external_id": string(255), "source": one_of("remote")}),
    "markdown": _block({"text": string(12_000)}),
    "table": TABLE,
    "data_table": DATA_TABLE,
    "data_visualization": _block({"title": string(50)}, chart=anything, data=anything),
    "alert": _block({"text": text(200)}, level=one_of("default", "info", "warning", "error", "success")),
    "context_actions": _block({"elements": array(by_type(elements(IN_CONTEXT_ACTIONS)), high=5)}),
    "task_card": _TASK,
    "plan": _block({"title": string(3000)}, tasks=array(by_type({"task_card": _TASK}), low=0, high=100)),
}
_CARD = _block(
    {},
    hero_image=IMAGE,
    icon=IMAGE,
    slack_icon=anything,
    title=text(150),
    subtitle=text(150),
    body=text(200),
    subtext=text(200),
    actions=_BUTTONS,
    also=[at_least_one("hero_image", "title", "body", "actions")],
)
_CONTAINED = (
    *("actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video"),
)


def _collapsing(block: Any, where: str, problems: Problems) -> None:
    if block.get("default_collapsed") and not block.get("is_collapsible"):
        problems.add(f"{where}/default_collapsed", "needs is_collapsible")


_CONTAINER = _block(
    {"child_blocks": array(by_type({name: _SIMPLE[name] for name in _CONTAINED}), high=10)},
    title=plain(150),
    rich_text_title=RICH_TEXT,
    subtitle=text(150),
    icon=IMAGE,
    width=one_of("narrow", "standard", "wide", "full"),
    is_collapsible=boolean,
    default_collapsed=boolean,
    has_header_divider=boolean,
    also=[at_least_one("title", "rich_text_title"), _collapsing],
)
BLOCKS: dict[str, Check] = {
    **_SIMPLE,
    "card": _CARD,
    "carousel": _block({"elements": array(by_type({"card": _CARD}), high=10)}),
    "container": _CONTAINER,
}
SURFACES: dict[str, tuple[Surface, ...]] = {
    "file": MESSAGE,
    "markdown": MESSAGE,
    "table": ("message", "home"),
    "data_table": ("message", "home"),
    "data_visualization": MESSAGE,
    "alert": ("modal",),
    "carousel": ("message", "home"),
    "container": MESSAGE,
    "context_actions": MESSAGE,
    "task_card": MESSAGE,
    "plan": MESSAGE,
}


def check_block(block: Any, where: str, problems: Problems, surface: Surface) -> None:
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    by_type(BLOCKS)(block, where, problems)
    if kind in BLOCKS and surface not in SURFACES.get(kind, EVERYWHERE):
        problems.add(where, f"{kind} blocks are not supported in a {surface}")
    if kind == "input":
        _check_input_surface(block, where, problems, surface)


def _check_input_surface(block: dict[str, Any], where: str, problems: Problems, surface: Surface) -> None:
    element = block.get("element")
    if not isinstance(element, dict):
        return
    if element.get("type") in MODAL_INPUT_ONLY and surface != "modal":
        problems.add(f"{where}/element", f"{element['type']} is only supported in a modal")
    if element.get("response_url_enabled") and surface != "modal":
        problems.add(f"{where}/element/response_url_enabled", "only supported in a modal")
