"""Wishes as they are written down while a person chooses the organisation, and read back after it."""

from typing import Any

from bot.commands.grammar import Investigate, List, Show, ShowCase
from bot.model import Source, read_subject, subject_record

Askable = Investigate | List | Show | ShowCase


def wish_record(wish: Askable, source: Source) -> dict[str, Any]:
    return {**_told(wish), "source": str(source)}


def _told(wish: Askable) -> dict[str, Any]:
    match wish:
        case Investigate(subject):
            return {"verb": "investigate", "subject": subject_record(subject)}
        case List(monitor_id):
            return {"verb": "list", "monitor_id": monitor_id}
        case Show(investigation_id):
            return {"verb": "show", "id": investigation_id}
        case ShowCase(identifier):
            return {"verb": "case", "id": identifier}


def read_wish(record: dict[str, Any]) -> tuple[Askable, Source]:
    return _wish(record), Source(record["source"])


def _wish(record: dict[str, Any]) -> Askable:
    match record["verb"]:
        case "investigate":
            return Investigate(read_subject(record["subject"]))
        case "list":
            return List(record["monitor_id"])
        case "show":
            return Show(record["id"])
        case _:
            return ShowCase(record["id"])
