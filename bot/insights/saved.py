"""An insight list as text for the draft store, and back. Reads what older and newer versions wrote; never raises."""

import json
from collections.abc import Iterator
from typing import Any

from bot.datadog.insight_drafts import InsightDraft, Lookup, LookupKind, Reason, SetAside, plain_label
from bot.datadog.insight_types import InsightType, kind_of
from bot.insights.drafts import InsightList, Listed

_FORMAT = 1


def to_json(insights: InsightList) -> str:
    return json.dumps(
        {
            "format": _FORMAT,
            "lines": [_line_out(line) for line in insights.lines],
            "set_aside": [_set_aside_out(piece) for piece in insights.set_aside],
        }
    )


def from_json(saved: str) -> InsightList:
    """What can be read of it; what can't is left out."""
    try:
        data = json.loads(saved)
    except (ValueError, RecursionError):
        return InsightList()
    if not isinstance(data, dict):
        return InsightList()
    lines = {line.draft.key: line for line in map(_line_in, _objects(data.get("lines"))) if line}
    pieces = [piece for piece in map(_set_aside_in, _objects(data.get("set_aside"))) if piece]
    return InsightList(tuple(lines.values()), tuple(dict.fromkeys(pieces)))


def _line_out(line: Listed) -> dict[str, Any]:
    draft = line.draft
    lookup = {"kind": draft.lookup.kind, "id": draft.lookup.id} if draft.lookup else None
    return {
        "type": draft.type,
        "resource_id": draft.resource_id,
        "ref": draft.ref,
        "label": draft.label,
        "lookup": lookup,
        "chosen": line.chosen,
        "on_case": line.on_case,
    }


def _line_in(saved: dict[str, Any]) -> Listed | None:
    kind = kind_of(_text(saved, "type"))
    resource_id, ref = _text(saved, "resource_id"), _text(saved, "ref")
    if kind is None or not resource_id or not ref:
        return None
    label = _text(saved, "label") or plain_label(kind.type, resource_id)
    draft = InsightDraft(kind.type, resource_id, ref, label, _lookup_in(saved.get("lookup")))
    return Listed(draft, saved.get("chosen") is not False, saved.get("on_case") is True)


def _lookup_in(saved: object) -> Lookup | None:
    if not isinstance(saved, dict) or not _text(saved, "id"):
        return None
    try:
        return Lookup(LookupKind(_text(saved, "kind")), _text(saved, "id"))
    except ValueError:
        return None


def _set_aside_out(piece: SetAside) -> dict[str, Any]:
    return {
        "url": piece.url,
        "reason": piece.reason,
        "sentence": piece.sentence,
        "comment_link": piece.comment_link,
        "type": piece.type,
        "ref": piece.ref,
    }


def _set_aside_in(saved: dict[str, Any]) -> SetAside | None:
    try:
        reason = Reason(_text(saved, "reason"))
    except ValueError:
        # A reason of another version: the piece is kept, as what is safe to say of anything.
        reason = Reason.UNREADABLE
    url, kind = _text(saved, "url"), kind_of(_text(saved, "type"))
    if not url:
        return None
    type_: InsightType | None = kind.type if kind else None
    comment_link = saved.get("comment_link") is True
    return SetAside(url, reason, _text(saved, "sentence"), comment_link, type_, _text(saved, "ref"))


def _objects(saved: object) -> Iterator[dict[str, Any]]:
    return (one for one in saved if isinstance(one, dict)) if isinstance(saved, list) else iter(())


def _text(saved: dict[str, Any], name: str) -> str:
    value = saved.get(name)
    return value if isinstance(value, str) else ""
