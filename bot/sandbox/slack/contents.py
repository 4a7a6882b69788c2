"""What a message may say, checked as Slack checks it, whichever way it comes in."""

import json
from typing import Any

from bot.sandbox.slack.blockkit import MOST_TEXT_IN_A_MESSAGE, check_blocks, stored_blocks, text_length
from bot.sandbox.slack.entities import problems_of
from bot.sandbox.slack.errors import ApiError
from bot.sandbox.slack.render import JSON
from bot.sandbox.slack.world import as_json

MOST_ATTACHMENTS = 100
LARGEST_METADATA = 4000


def checked_blocks(blocks: Any) -> list[JSON]:
    """Blocks as Slack stores them, or its refusal. Also used for answers over a response URL."""
    problems = check_blocks(blocks, "message")
    if problems:
        raise ApiError.because("invalid_blocks", problems)
    if text_length(blocks) > MOST_TEXT_IN_A_MESSAGE:
        raise ApiError("msg_blocks_too_long")
    return stored_blocks(blocks)


def checked_metadata(metadata: Any, entity_types: frozenset[str] | None = None) -> JSON | None:
    """`entity_types`: of the Work Objects that may stand in it; a new message only takes any."""
    if metadata is None or metadata == {}:
        return {} if metadata == {} else None
    may_hold = {"event_type", "event_payload"} | (set() if entity_types is None else {"entities"})
    is_sound = (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
        and not metadata.keys() - may_hold
    )
    if not is_sound:
        raise ApiError("invalid_metadata_format")
    _check_entities(metadata.get("entities", []), entity_types or frozenset())
    if len(json.dumps(metadata)) > LARGEST_METADATA:
        raise ApiError("metadata_too_large")
    stored: JSON = as_json(metadata)
    return stored


def _check_entities(entities: Any, known: frozenset[str]) -> None:
    if not isinstance(entities, list):
        raise ApiError("invalid_metadata_format")
    problems = [each for number, entity in enumerate(entities) for each in problems_of(entity, f"entities.{number}")]
    if problems:
        raise ApiError.because("invalid_metadata_format", problems)
    if any(entity["entity_type"] not in known for entity in entities):
        raise ApiError("invalid_metadata_schema")


def checked_attachments(attachments: Any) -> list[JSON]:
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise ApiError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise ApiError("too_many_attachments")
    for attachment in attachments:
        if attachment.get("blocks"):
            attachment["blocks"] = checked_blocks(attachment["blocks"])
    return [{"id": number, **attachment} for number, attachment in enumerate(attachments, 1)]
