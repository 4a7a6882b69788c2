"""views.*: trigger ids that live three seconds and once, hashes, stacks, sizes, the Home tab."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import FakeSlack, Person
from tests.sandbox.slack.harness import error_of, field, modal, refusal, section, text_input


def trigger(slack: FakeSlack, person: Person, view_id: str = "") -> str:
    return slack.triggers.issue(person.id, slack.workspace.id, view_id=view_id)


async def opened(slack: FakeSlack, client: AsyncWebClient, person: Person, view: dict[str, Any]) -> dict[str, Any]:
    answer = await client.views_open(trigger_id=trigger(slack, person), view=view)
    shown: dict[str, Any] = answer["view"]
    return shown


async def test_a_trigger_id_lives_three_seconds_and_once(
    slack: FakeSlack, client: AsyncWebClient, ana: Person, clock: Any
) -> None:
    used, old = trigger(slack, ana), trigger(slack, ana)
    await client.views_open(trigger_id=used, view=modal(section("x")))
    clock.now += 3.1

    assert await error_of(client.views_open(trigger_id=used, view=modal(section("x")))) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id=old, view=modal(section("x")))) == "expired_trigger_id"
    assert await error_of(client.views_open(trigger_id="made.up", view=modal(section("x")))) == "invalid_trigger_id"


async def test_a_bad_view_is_refused_before_its_trigger_is_used(
    slack: FakeSlack, client: AsyncWebClient, ana: Person
) -> None:
    name = trigger(slack, ana)
    refused = await refusal(client.views_open(trigger_id=name, view=modal(section(""))))

    assert refused.response["error"] == "invalid_arguments"
    assert refused.response["response_metadata"]["messages"] == [
        "[ERROR] must be more than 0 characters [json-pointer:/view/blocks/0/text/text]"
    ]
    await client.views_open(trigger_id=name, view=modal(section("x")))


async def test_an_update_keeps_what_was_typed_where_the_ids_stay(
    slack: FakeSlack, client: AsyncWebClient, ana: Person
) -> None:
    first = modal(field("A", text_input("a"), block_id="a"), field("B", text_input("b"), block_id="b"))
    view = await opened(slack, client, ana, first)
    await ana.fill({"A": "kept", "B": "lost"})

    second = modal(field("A", text_input("a"), block_id="a"), field("B", text_input("b"), block_id="b2"))
    await client.views_update(view_id=view["id"], view=second, hash=view["hash"])

    shown = await ana.waits_for_modal()
    assert shown.fields == {"A": "kept", "B": ""}
    stale = client.views_update(view_id=view["id"], view=second, hash=view["hash"])
    assert await error_of(stale) == "hash_conflict"


async def test_updates_by_external_id_and_of_closed_views(
    slack: FakeSlack, client: AsyncWebClient, ana: Person, ben: Person
) -> None:
    view = await opened(slack, client, ana, modal(section("x"), external_id="case-1", submit=None))
    taken = client.views_open(trigger_id=trigger(slack, ben), view=modal(section("x"), external_id="case-1"))
    assert await error_of(taken) == "duplicate_external_id"

    await client.views_update(external_id="case-1", view=modal(section("y"), external_id="case-1", submit=None))
    assert "y" in await ana.waits_for_modal()
    await ana.close()
    assert await error_of(client.views_update(view_id=view["id"], view=modal(section("z")))) == "not_found"


async def test_three_views_are_the_deepest_stack(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    view = await opened(slack, client, ana, modal(section("1"), title="One"))
    for title in ("Two", "Three"):
        pushed = await client.views_push(
            trigger_id=trigger(slack, ana, view["id"]), view=modal(section("x"), title=title)
        )
        assert pushed["view"]["root_view_id"] == view["id"]

    deeper = client.views_push(trigger_id=trigger(slack, ana, view["id"]), view=modal(section("x")))
    assert await error_of(deeper) == "push_limit_reached"
    outside = client.views_push(trigger_id=trigger(slack, ana), view=modal(section("x")))
    assert await error_of(outside) == "not_found"
    await ana.close()
    assert (await ana.waits_for_modal()).title == "Two"


async def test_a_view_over_250_kb(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    large = modal(*[section("ä" * 1500) for _ in range(90)])

    assert await error_of(client.views_open(trigger_id=trigger(slack, ana), view=large)) == "view_too_large"


async def test_the_home_tab_is_published_again_only_by_its_newest_hash(
    slack: FakeSlack, client: AsyncWebClient, ana: Person
) -> None:
    home = {"type": "home", "blocks": [section("one")]}
    first = (await client.views_publish(user_id=ana.id, view=home))["view"]
    await client.views_publish(user_id=ana.id, view={"type": "home", "blocks": [section("two")]}, hash=first["hash"])

    stale = client.views_publish(user_id=ana.id, view=home, hash=first["hash"])
    assert await error_of(stale) == "hash_conflict"
    assert await error_of(client.views_publish(user_id="U9999", view=home)) == "user_not_found"
    slack.app.home_enabled = False
    assert await error_of(client.views_publish(user_id=ana.id, view=home)) == "not_enabled"


async def test_a_modal_is_no_home_tab(slack: FakeSlack, client: AsyncWebClient, ana: Person) -> None:
    for surface in ("modal", "home"):
        view = modal(section("x")) if surface == "home" else {"type": "home", "blocks": []}
        call = (
            client.views_publish(user_id=ana.id, view=view)
            if surface == "home"
            else client.views_open(trigger_id=trigger(slack, ana), view=view)
        )

        assert await error_of(call) == "invalid_arguments"
