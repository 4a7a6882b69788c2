"""slack_sdk's own models of Work Objects against the local Slack: in a message, in the details pane, and what is none."""

from typing import Any

from slack_sdk.models.metadata import (
    EntityActionButton,
    EntityActions,
    EntityAttributes,
    EntityCustomField,
    EntityEditSelectConfig,
    EntityEditSupport,
    EntityEditTextConfig,
    EntityMetadata,
    EntityPayload,
    EntityStringField,
    EntityTimestampField,
    EntityTitle,
    EntityTypedField,
    EntityUserField,
    EntityUserIDField,
    EventAndEntityMetadata,
    ExternalRef,
    TaskEntityFields,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Channel, FakeSlack, Person
from tests.sandbox.slack.harness import error_of

URL = "https://app.datadoghq.com/cases/CASEM-42"
TASK = "slack#/entities/task"


def choice(value: str, *options: str) -> EntityEditSupport:
    offered = [{"value": each, "text": {"type": "plain_text", "text": each}} for each in options]
    return EntityEditSupport(enabled=True, select=EntityEditSelectConfig(current_value=value, static_options=offered))


def task(**changes: Any) -> EntityMetadata:
    fields = TaskEntityFields(
        status=EntityStringField(value="Open", tag_color="blue", edit=choice("Open", "Open", "Closed")),
        assignee=EntityTypedField(
            type="slack#/types/user", user=EntityUserField(text="Ana"), edit=EntityEditSupport(enabled=True)
        ),
        description=EntityStringField(
            value="Full",
            format="markdown",
            edit=EntityEditSupport(enabled=True, text=EntityEditTextConfig(min_length=1)),
        ),
        date_created=EntityTimestampField(value=1_700_000_000),
        due_date=EntityTypedField(type="slack#/types/date", value="2026-12-01"),
    )
    own: list[dict[str, Any] | EntityCustomField] = [
        EntityCustomField(
            key="insights", label="Insights", type="array", item_type="string", value=[{"value": "A"}, {"value": "B"}]
        )
    ]
    payload = EntityPayload(
        attributes=EntityAttributes(title=EntityTitle(text="Disk full"), display_id="CASEM-42"),
        fields=changes.pop("fields", fields),
        custom_fields=own,
        display_order=["insights"],
        actions=EntityActions(primary_actions=[EntityActionButton(text="Close", action_id="close")]),
    )
    told: dict[str, Any] = {"entity_type": TASK, "external_ref": ExternalRef(id="42"), "url": URL}
    return EntityMetadata(entity_payload=payload, **told | changes)


def carrying(entity: EntityMetadata) -> EventAndEntityMetadata:
    return EventAndEntityMetadata(event_type="mine", event_payload={"key": "1"}, entities=[entity])


async def test_a_message_carries_one_beside_its_own_metadata(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person
) -> None:
    posted = await client.chat_postMessage(channel=channel.id, text="A case", metadata=carrying(task()))
    (message,) = channel.messages
    assert message.metadata is not None
    assert message.metadata["event_payload"] == {"key": "1"}
    await client.chat_update(channel=channel.id, ts=posted["ts"], text="A case, changed")
    assert message.metadata["entities"], "what an edit does not name stays"
    edit = client.chat_update(channel=channel.id, ts=posted["ts"], text="x", metadata=carrying(task()).to_dict())
    assert await error_of(edit) == "invalid_metadata_format"

    await ana.open_work_object(message)
    (heard,) = [each.payload["event"] for each in slack.delivery.log if each.kind == "events_api"][-1:]
    assert heard["external_ref"] == {"id": "42"}
    assert (heard["entity_url"], heard["channel"], heard["message_ts"]) == (URL, channel.id, message.ts)
    for _ in range(2):  # the guide answers one trigger twice
        await client.entity_presentDetails(trigger_id=heard["trigger_id"], metadata=task())
    assert ana.pane is not None
    for line in ("CASEM-42 Disk full", "status: Open", "assignee: Ana", "due_date: 2026-12-01", "Insights: A; B"):
        assert line in ana.pane.text.splitlines()

    why = {"status": "custom", "custom_title": "No", "custom_message": "Not *yours*", "message_format": "markdown"}
    await client.entity_presentDetails(trigger_id=heard["trigger_id"], error=why)
    assert ana.pane.text == "No\nNot *yours*"


async def test_what_is_none_is_refused(slack: FakeSlack, client: AsyncWebClient, channel: Channel, ana: Person) -> None:
    pigeon = task().to_dict() | {"entity_type": "slack#/entities/pigeon"}
    wrong: list[Any] = [
        pigeon,
        task(url="nowhere"),
        task(external_ref={"id": ""}),
        task(fields={"colour": {"value": "red"}}),
        task(fields={"status": {"value": "Open", "tag_color": "pink"}}),
        task(fields={"status": {"value": "Open", "edit": choice("Open", "x" * 76).to_dict()}}),
        task(fields={"assignee": {"type": "slack#/types/user"}}),
        task(fields={"assignee": {"type": "slack#/types/user", "user": {"text": "a", "user_id": "U1"}}}),
    ]
    for entity in wrong:
        told = carrying(task()).to_dict() | {"entities": [entity if entity is pigeon else entity.to_dict()]}
        call = client.chat_postMessage(channel=channel.id, text="x", metadata=told)
        assert await error_of(call) == "invalid_metadata_format"
    long = task(fields={"description": {"value": "x" * 5000}})
    call = client.chat_postMessage(channel=channel.id, text="x", metadata=carrying(long).to_dict())
    assert await error_of(call) == "metadata_too_large"
    assert not channel.messages

    await client.chat_postMessage(channel=channel.id, text="x", metadata=carrying(task()))
    await ana.open_work_object(channel.messages[0])
    trigger = slack.delivery.log[-1].payload["event"]["trigger_id"]
    for arguments, error in (
        ({"metadata": task(external_ref={"id": "43"})}, "entity_metadata_does_not_match_trigger"),
        ({"metadata": task(url="nowhere")}, "invalid_metadata"),
        ({"user_auth_required": True}, "user_auth_url_missing"),
        ({"error": {"status": "sad"}}, "invalid_arguments"),
        ({}, "invalid_metadata"),
    ):
        assert await error_of(client.entity_presentDetails(trigger_id=trigger, **arguments)) == error
    assert await error_of(client.entity_presentDetails(trigger_id="1.2.3", metadata=task())) == "invalid_trigger_id"


async def test_an_app_without_previews_may_not_post_one(
    slack: FakeSlack, client: AsyncWebClient, channel: Channel
) -> None:
    slack.app.apply_manifest({})
    call = client.chat_postMessage(channel=channel.id, text="x", metadata=carrying(task()))
    assert await error_of(call) == "invalid_metadata_schema"
    slack.app.apply_manifest({"features": {"rich_previews": {"is_active": True, "entity_types": [TASK]}}})
    await client.chat_postMessage(channel=channel.id, text="x", metadata=carrying(task()))
    assert EntityUserIDField(user_id="U1").to_dict() == {"user_id": "U1"}
