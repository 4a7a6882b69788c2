"""A sheet as text for the shelf, and back. Reads what older and newer versions wrote; what can't be read is left out."""

import json
from dataclasses import asdict
from typing import Any

from bot.datadog.case_model import Insight
from bot.datadog.insight_types import kind_of
from bot.datadog.shapes import flag, member, objects, text, texts, whole
from bot.insights import saved
from bot.insights.attach_form import AttachForm, CaseChoice, HandForm, Stage
from bot.model import Place

_COUNTERS = ("case_round", "list_round", "paste_round", "hand_round", "submits", "submit_id")


def sheet_text(sheet: AttachForm) -> str:
    return json.dumps(
        {
            "place": asdict(sheet.place),
            "org": sheet.org,
            "stage": sheet.stage,
            "case": asdict(sheet.case) if sheet.case else None,
            "held": None if sheet.held is None else [asdict(insight) for insight in sheet.held],
            "insights": saved.to_json(sheet.insights),
            "hand": asdict(sheet.hand) if sheet.hand else None,
            "comment": sheet.comment,
            "leaving": sorted(sheet.leaving),
            "looked_up": sorted(sheet.looked_up),
            "notice": sheet.notice,
            **{name: getattr(sheet, name) for name in _COUNTERS},
        }
    )


def read_sheet(content: str) -> AttachForm | None:
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        return None
    place = member(told, "place")
    if not isinstance(place, dict):
        return None
    return AttachForm(
        place=Place(text(place, "workspace"), text(place, "channel"), text(place, "thread_ts")),
        org=text(told, "org"),
        stage=_stage(text(told, "stage")),
        case=_case(member(told, "case")),
        held=_held(told),
        insights=saved.from_json(text(told, "insights")),
        hand=_hand(member(told, "hand")),
        comment=flag(told, "comment"),
        leaving=frozenset(texts(told, "leaving")),
        looked_up=frozenset(texts(told, "looked_up")),
        notice=text(told, "notice"),
        **{name: whole(told, name) or 0 for name in _COUNTERS},
    )


def _stage(name: str) -> Stage:
    return Stage(name) if name in set(Stage) else Stage.FORM


def _case(told: Any) -> CaseChoice | None:
    return CaseChoice(text(told, "id"), text(told, "key"), text(told, "title")) if text(told, "id") else None


def _held(told: Any) -> tuple[Insight, ...] | None:
    if not isinstance(member(told, "held"), list):
        return None
    return tuple(
        Insight(text(one, "type"), text(one, "ref"), text(one, "resource_id")) for one in objects(told, "held")
    )


def _hand(told: Any) -> HandForm | None:
    if not isinstance(told, dict):
        return None
    kind = kind_of(text(told, "type"))
    return HandForm(kind.type if kind else None, text(told, "ref"), texts(told, "problems"))
