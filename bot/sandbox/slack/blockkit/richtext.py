"""Rich text and the tables built from it: nested elements, their styles, and their limits."""

from typing import Any

from bot.sandbox.slack.blockkit.objects import ID, TYPE, URL
from bot.sandbox.slack.blockkit.rules import (
    Check,
    Problems,
    anything,
    array,
    boolean,
    by_type,
    integer,
    obj,
    one_of,
    string,
)

_STYLE = obj({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean))
_LONG = string(12_000)


def _leaf(required: dict[str, Check], **optional: Check) -> Check:
    return obj({"type": TYPE, **required}, {"style": _STYLE, **optional})


_LEAVES: dict[str, Check] = {
    "text": _leaf({"text": _LONG}),
    "link": _leaf({"url": URL}, text=_LONG, unsafe=boolean),
    "user": _leaf({"user_id": string(50)}),
    "usergroup": _leaf({"usergroup_id": string(50)}),
    "channel": _leaf({"channel_id": string(50)}),
    "team": _leaf({"team_id": string(50)}),
    "broadcast": _leaf({"range": one_of("here", "channel", "everyone")}),
    "emoji": _leaf({"name": string(100)}, unicode=string(100), skin_tone=integer(1, 6)),
    "date": _leaf({"timestamp": integer(0, 10**11), "format": string(200)}, url=URL, fallback=string(200)),
    "color": _leaf({"value": string(7)}),
}
_INLINE = array(by_type(_LEAVES), low=0, high=1000)
_SECTION = obj({"type": TYPE, "elements": _INLINE})
_PARTS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_list": obj(
        {
            "type": TYPE,
            "style": one_of("bullet", "ordered"),
            "elements": array(by_type({"rich_text_section": _SECTION}), high=500),
        },
        {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
    ),
    "rich_text_quote": obj({"type": TYPE, "elements": _INLINE}, {"border": integer(0, 1)}),
    "rich_text_preformatted": obj(
        {"type": TYPE, "elements": _INLINE}, {"border": integer(0, 1), "language": string(50)}
    ),
}
RICH_TEXT = obj({"type": TYPE, "elements": array(by_type(_PARTS), high=500)}, {"block_id": ID})

_RAW_TEXT = obj({"type": TYPE, "text": _LONG})
_RAW_NUMBER = obj({"type": TYPE, "value": anything}, {"text": _LONG})
_HEADER_CELL = by_type({"raw_text": _RAW_TEXT, "raw_number": _RAW_NUMBER})
_CELL = by_type({"raw_text": _RAW_TEXT, "raw_number": _RAW_NUMBER, "rich_text": RICH_TEXT})
_COLUMN_SETTINGS = obj({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})


def _column(value: Any, where: str, problems: Problems) -> None:
    if value is not None:
        _COLUMN_SETTINGS(value, where, problems)


TABLE = obj(
    {"type": TYPE, "rows": array(array(_CELL, high=20), high=100)},
    {"block_id": ID, "column_settings": array(_column, low=0, high=20)},
)
DATA_TABLE = obj(
    {"type": TYPE, "caption": string(3000), "rows": array(array(_CELL, high=20), low=2, high=201)},
    {"block_id": ID, "page_size": integer(1, 100), "header": array(_HEADER_CELL, high=20), "row_header": anything},
)
