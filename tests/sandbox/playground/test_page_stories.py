"""What people do at the page, told over its own protocol: the bot behind it is the real one, in a process of its own."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.sandbox.playground.visitor import JSON, Visitor, after, all_messages, label_of, words


async def alert(visitor: Visitor, kind: str = "metric", via: str = "message") -> JSON:
    await visitor.does("set_speed", seconds=0.5)
    return await visitor.does("fire", kind=kind, via=via)


async def concluded(visitor: Visitor, kind: str = "metric") -> str:
    """A fired alert whose investigation is over; its thread."""
    thread = str((await alert(visitor, kind))["ts"])
    await visitor.clicks("Investigate", thread=thread)
    await visitor.sees(lambda state: "AI-written" in words(state, thread))
    return thread


# -- what there is to see ----------------------------------------------------------------------------------------------


async def test_the_state_has_every_section_the_page_draws(visitor: Visitor) -> None:
    state = await visitor.state()
    assert set(state) == {
        "app",
        "people",
        "me",
        "names",
        "channels",
        "messages",
        "modals",
        "home",
        "notices",
        "datadog",
        "faults",
        "journal",
    }
    assert state["app"]["name"] == "Bits Bot"
    assert state["app"]["commands"][0]["usage_hint"].startswith("investigate")
    assert {one["callback_id"]: one["type"] for one in state["app"]["shortcuts"]}["attach_insights"] == "global"
    assert {person["role"] for person in state["people"]} == {"member", "admin", "guest", "outside"}
    kinds = {channel["name"]: channel["kind"] for channel in state["channels"]}
    assert (kinds["alerts"], kinds["oncall-private"], kinds["Bits Bot"]) == ("public", "private", "im")
    assert state["names"]["users"][state["app"]["bot_user_id"]] == "Bits Bot"


async def test_the_seed_tells_one_story_whose_values_fit(visitor: Visitor) -> None:
    datadog = (await visitor.state())["datadog"]
    assert datadog["kinds"][0]["id"] == "metric"
    monitor = next(one for one in datadog["monitors"] if one["kind"] == "metric")
    assert monitor["query"].endswith(f"> {monitor['threshold']}")
    runs = datadog["investigations"]
    assert all(run["concluded"] for run in runs[-4:])
    assert {case["project"] for case in datadog["cases"]} >= {"PAY", "SRE"}


async def test_there_is_a_story_in_alerts_before_anybody_does_anything(visitor: Visitor) -> None:
    """Told by the bot itself, so that its buttons answer."""
    state = await visitor.state()
    alerts = [one for one in state["messages"][await visitor.channel("alerts")] if one["author"]["name"] == "Datadog"]
    dealt_with = alerts[0]
    assert dealt_with["attachments"][0]["title"].startswith("Recovered: Disk of a database host")
    thread = words(state, dealt_with["ts"])
    assert "Log rotation stopped on checkout-db-3" in thread
    assert "logs rotate again" in thread
    assert alerts[1]["attachments"][0]["title"].endswith("Checkout latency is high on env:prod")
    await visitor.clicks("Full report", thread=dealt_with["ts"])
    await visitor.sees(lambda state: state["modals"] or "unknown group" in words(state))
    for modal in (await visitor.state())["modals"]:
        await visitor.does("close", view=modal["id"], everything=True)


async def test_a_guest_and_somebody_from_outside_see_only_their_channels(visitor: Visitor) -> None:
    await visitor.become("gil")
    guest = await visitor.state()
    await visitor.become("olga")
    outside = await visitor.state()
    assert {channel["name"] for channel in guest["channels"]} == {"alerts", "Bits Bot"}
    assert {channel["name"] for channel in outside["channels"]} == {"acme-globex", "Bits Bot"}
    assert set(guest["messages"]) == {channel["id"] for channel in guest["channels"]}
    refused = await visitor.tries("say", channel=await _id_of(visitor, "ana", "payments"), text="hello")
    assert refused == {"ok": False, "error": "There is no such channel for you."}


async def _id_of(visitor: Visitor, name: str, channel: str) -> str:
    before = visitor.me
    await visitor.become(name)
    found = await visitor.channel(channel)
    visitor.me = before
    return found


async def test_a_command_s_answer_is_seen_by_its_asker_only(visitor: Visitor) -> None:
    channel = await visitor.channel("payments")
    await visitor.does("say", channel=channel, text="/bits help")
    state = await visitor.sees(lambda state: any(one["only_me"] for one in state["messages"][channel]))
    assert "/bits investigate" in words(state)
    await visitor.become("ben")
    assert not any(one["only_me"] for _, one in all_messages(await visitor.state()))


# -- Slack -------------------------------------------------------------------------------------------------------------


async def test_from_the_alert_to_conclusions_that_are_about_it(visitor: Visitor) -> None:
    thread = await concluded(visitor)
    state = await visitor.state()
    assert "above the threshold of 1.2 s" in json.dumps(state["datadog"]["investigations"][0]["conclusions"])
    assert "from 0.4 s to 2.4 s" in words(state, thread)
    assert any(note["why"] == "mention" and note["thread_ts"] == thread for note in state["notices"])


async def test_a_case_is_opened_in_slack_and_its_card_shows_a_change_in_datadog_once_asked(visitor: Visitor) -> None:
    thread = await concluded(visitor)
    await visitor.clicks("Create case", thread=thread)
    modal = (await visitor.sees(lambda state: state["modals"] and state["modals"][-1]["submit"]))["modals"][-1]
    block_id, element = label_of(modal)["Project"]
    refused = await visitor.does("submit", view=modal["id"])
    assert refused["errors"] == {block_id: "Please complete this required field."}
    assert (await visitor.state())["modals"][-1]["errors"] == refused["errors"]
    entered = {element["action_id"]: {"type": "static_select", "selected_option": element["options"][0]}}
    cases = len((await visitor.state())["datadog"]["cases"])
    await visitor.does("submit", view=modal["id"], values={block_id: entered})
    state = await visitor.sees(lambda state: "Case PAY-" in words(state, thread))
    case = state["datadog"]["cases"][0]
    assert len(state["datadog"]["cases"]) == cases + 1
    assert case["title"].startswith("Checkout latency is high")
    await visitor.does("case_change", case=case["id"], status="IN_PROGRESS", comment="Looking at it.")
    await visitor.does("say", channel=await visitor.channel("alerts"), text=f"/bits case {case['key']}")
    state = await visitor.sees(lambda state: "🟠 In Progress" in words(state, thread))
    changed = next(one for one in state["datadog"]["cases"] if one["id"] == case["id"])
    assert (changed["status"], changed["comments"][0]["text"]) == ("In Progress", "Looking at it.")


async def test_what_is_typed_into_a_window_survives_a_reload(visitor: Visitor) -> None:
    await visitor.does("shortcut", callback_id="attach_insights")
    modal = (await visitor.sees(lambda state: state["modals"] and label_of(state["modals"][-1])))["modals"][-1]
    block_id, element = label_of(modal)["Paste Datadog links"]
    link = "https://app.datadoghq.com/monitors/120000001"
    typed = {element["action_id"]: {"type": element["type"], "value": link}}
    await visitor.does("fill", view=modal["id"], values={block_id: typed})
    again = (await visitor.state())["modals"][-1]
    assert again["state"]["values"][block_id][element["action_id"]]["value"] == link

    block_id, element = label_of(again)["Case"]
    offered = await visitor.does(
        "search", surface={"view": again["id"]}, block_id=block_id, action_id=element["action_id"], text="checkout"
    )
    options = offered.get("options") or [one for group in offered["option_groups"] for one in group["options"]]
    assert any("Checkout was slow" in option["text"]["text"] for option in options)
    await visitor.does(
        "choose",
        surface={"view": again["id"]},
        block_id=block_id,
        action_id=element["action_id"],
        element_type=element["type"],
        value={"selected_option": options[0]},
    )
    state = await visitor.sees(lambda state: state["modals"])
    await visitor.does("close", view=state["modals"][-1]["id"], everything=True)
    assert (await visitor.state())["modals"] == []


async def test_home_opens_for_everybody_and_shows_admins_more(visitor: Visitor) -> None:
    await visitor.does("open_home")
    await visitor.sees(lambda state: state["home"] and state["home"]["blocks"])
    await visitor.become("cora")
    await visitor.does("open_home")
    state = await visitor.sees(lambda state: state["home"] and state["home"]["blocks"])
    assert state["home"]["type"] == "home"


async def test_somebody_writes_and_reacts_and_others_are_told(visitor: Visitor) -> None:
    channel = await visitor.channel("payments")
    said = await visitor.does("say", channel=channel, text="@ben please look & tell")
    await visitor.become("ben")
    state = await visitor.sees(lambda state: any(note["ts"] == said["ts"] for note in state["notices"]))
    note = next(note for note in state["notices"] if note["ts"] == said["ts"])
    assert (note["title"], note["text"]) == ("Ana Ruiz in #payments", "@ben please look & tell")
    await visitor.does("react", channel=channel, ts=said["ts"], name="eyes")
    message = next(one for one in (await visitor.state())["messages"][channel] if one["ts"] == said["ts"])
    assert message["reactions"] == [{"name": "eyes", "users": [visitor.me], "count": 1}]


@pytest.mark.parametrize(
    ("kind", "args", "sentence"),
    [
        ("dance", {}, "There is nothing called 'dance' to do here."),
        ("say", {"channel": "C9999", "text": "hello"}, "There is no such channel for you."),
        ("say", {"text": "hello"}, "The page sent no channel."),
        ("command", {"channel": "alerts", "command": "/nope"}, "/nope is not a valid command"),
        ("shortcut", {"callback_id": "nope"}, "there is no global shortcut 'nope'"),
        ("submit", {"view": "V9999"}, "That window is closed."),
        ("click", {"channel": "alerts", "ts": "1.2", "action_id": "x"}, "That message is no longer there."),
        ("click", {"surface": ["x"], "action_id": "x"}, "The page sent something that can't be read."),
        ("fire", {"kind": "earthquake"}, "There is no kind of alert called 'earthquake'."),
        ("fire", {"kind": "metric", "via": "pigeon"}, "An alert comes as Datadog's own message, by webhook, or both."),
        ("change_alert", {"alert": "1", "to": "warn"}, "That alert is not there, or can't change that way."),
        ("set_outcome", {"outcome": "luck"}, "No run ends 'luck'."),
        ("set_speed", {"seconds": "fast"}, "The speed is a number of seconds."),
        ("set_speed", {"seconds": 0}, "A run takes 0.2 to 600 seconds."),
        ("finish", {"investigation": "none"}, "There is no such investigation."),
        ("case_change", {"case": "NOPE-1", "status": "OPEN"}, "There is no such case."),
        ("case_change", {"case": "PAY-42"}, "Say what to change of the case."),
        ("case_change", {"case": "PAY-42", "status": "Lost"}, "A case of type Standard has no status 'Lost'."),
        ("case_change", {"case": "PAY-42", "priority": "P9"}, "Priorities are P1, P2, P3, P4, P5, NOT_DEFINED."),
        ("fault", {"id": "flood", "on": True}, "Nothing breaks like 'flood'."),
        ("bot", {"do": "praise"}, "The bot can be killed, stopped, started and restarted."),
        ("bot", {"do": "start"}, "The bot is running."),
    ],
)
async def test_what_cannot_be_done_is_told_in_a_sentence(
    visitor: Visitor, kind: str, args: dict[str, Any], sentence: str
) -> None:
    if args.get("channel") == "alerts":
        args = {**args, "channel": await visitor.channel("alerts")}
    done = await visitor.tries(kind, **args)
    assert done["ok"] is False
    assert sentence in done["error"]


async def test_a_click_on_what_has_gone_is_told(visitor: Visitor) -> None:
    thread = str((await alert(visitor))["ts"])
    await visitor.sees(lambda state: "Investigate" in words(state, thread))
    channel = await visitor.channel("alerts")
    done = await visitor.tries("click", channel=channel, ts=thread, block_id="none", action_id="none")
    assert done["error"] == "That is no longer there. The message or window has changed."


# -- Datadog -----------------------------------------------------------------------------------------------------------


async def test_an_alert_by_webhook_becomes_a_card_that_follows_it_to_the_recovery(visitor: Visitor) -> None:
    fired = await alert(visitor, "log", via="webhook")
    assert fired["ts"] is None
    await visitor.sees(lambda state: "Errors in the logs of payments-api" in words(state))
    recovered = await visitor.does("change_alert", alert=fired["alert"], to="recover")
    state = await visitor.sees(lambda state: "ecovered" in words(state))
    assert any(call["what"] == "webhook" and call["status"] == 202 for call in state["journal"])
    shown = next(one for one in state["datadog"]["alerts"] if one["id"] == recovered["alert"])
    assert (shown["state"], shown["value"]) == ("OK", "2")


async def test_datadogs_own_message_is_edited_when_the_alert_recovers_and_a_new_alert_is_a_new_message(
    visitor: Visitor,
) -> None:
    first = await alert(visitor)
    await visitor.does("change_alert", alert=first["alert"], to="warn")
    await visitor.does("change_alert", alert=first["alert"], to="recover")
    titles = {one["ts"]: one["attachments"][0]["title"] for one in await _datadogs(visitor)}
    assert titles[first["ts"]] == "Recovered: Checkout latency is high on env:prod"
    second = await alert(visitor)
    titles = {one["ts"]: one["attachments"][0]["title"] for one in await _datadogs(visitor)}
    assert second["ts"] != first["ts"]
    assert titles[second["ts"]] == "Triggered: Checkout latency is high on env:prod"
    third = await alert(visitor)  # what still stands recovers first
    titles = {one["ts"]: one["attachments"][0]["title"] for one in await _datadogs(visitor)}
    assert titles[second["ts"]].startswith("Recovered:")
    assert titles[third["ts"]].startswith("Triggered:")


async def _datadogs(visitor: Visitor) -> list[JSON]:
    return [one for _, one in all_messages(await visitor.state()) if one["author"]["name"] == "Datadog"]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("log", "An expired certificate"),
        ("apm", "Connection pool of payments-api exhausted"),
        ("synthetics", "The sign-in page lost its button"),
        ("slo", "error budget 6 times faster"),
        ("composite", "one consumer group stopped"),
        ("disk", "its disk filled up"),
    ],
)
async def test_each_kind_of_alert_has_a_conclusion_of_its_own(visitor: Visitor, kind: str, read: str) -> None:
    thread = await concluded(visitor, kind)
    assert read in words(await visitor.state(), thread)


@pytest.mark.parametrize("kind", ["signal", "errors"])
async def test_what_bits_does_not_investigate_is_told_in_the_thread(visitor: Visitor, kind: str) -> None:
    thread = str((await alert(visitor, kind))["ts"])
    await visitor.clicks("Investigate", thread=thread)
    await visitor.sees(lambda state: "Datadog did not accept the request" in words(state, thread))


@pytest.mark.parametrize(
    ("outcome", "read"),
    [("inconclusive", "No single cause stands out"), ("failed", "ailed"), ("several", "The card network answers")],
)
async def test_a_run_ends_as_was_chosen(visitor: Visitor, outcome: str, read: str) -> None:
    await visitor.does("set_outcome", outcome=outcome)
    thread = str((await alert(visitor))["ts"])
    await visitor.clicks("Investigate", thread=thread)
    state = await visitor.sees(lambda state: read in words(state, thread))
    assert state["datadog"]["investigations"][0]["outcome_planned"] == outcome


async def test_a_run_that_never_ends_is_finished_by_hand(visitor: Visitor) -> None:
    await visitor.does("set_outcome", outcome="never")
    thread = str((await alert(visitor))["ts"])
    await visitor.clicks("Investigate", thread=thread)
    state = await visitor.sees(lambda state: not state["datadog"]["investigations"][0]["concluded"])
    run = state["datadog"]["investigations"][0]["id"]
    await visitor.does("finish", investigation=run)
    await visitor.sees(lambda state: "Connection pool of payments-db" in words(state, thread))
    again = await visitor.tries("finish", investigation=run)
    assert again["error"] == "That investigation is over already."


async def test_an_insight_is_made_of_a_link_or_refused(visitor: Visitor) -> None:
    await visitor.does("case_change", case="PAY-42", insight="https://app.datadoghq.com/incidents/411")
    case = next(one for one in (await visitor.state())["datadog"]["cases"] if one["key"] == "PAY-42")
    assert {"type": "INCIDENT", "resource_id": "411", "title": "/incidents/411"} in case["insights"]
    refused = await visitor.tries("case_change", case="PAY-42", insight="https://example.com/411")
    assert refused["error"].startswith("That is no Datadog link")


async def test_a_ticket_hangs_on_a_case_or_is_refused(visitor: Visitor) -> None:
    await visitor.does("case_change", case="PAY-42", ticket="https://acme.atlassian.net/browse/PAY-7")
    case = next(one for one in (await visitor.state())["datadog"]["cases"] if one["key"] == "PAY-42")
    assert [(one["kind"], one["result"]["issue_key"]) for one in case["tickets"]] == [("jira_issue", "PAY-7")]
    refused = await visitor.tries("case_change", case="PAY-42", ticket="PAY-7")
    assert refused["error"].startswith("That is no link to a Jira issue")


# -- what just happened ------------------------------------------------------------------------------------------------


async def test_the_journal_tells_each_call_under_what_brought_it_about_without_secrets(visitor: Visitor) -> None:
    thread = await concluded(visitor)
    state = await visitor.state()
    calls = state["journal"]
    assert [call["n"] for call in calls] == sorted(call["n"] for call in calls)
    started = [call for call in calls if call["what"] == "POST /api/v2/bits-ai/investigations"][-1]
    assert (started["from"], started["to"], started["status"]) == ("bot", "datadog", 200)
    assert started["why"] == "Ana Ruiz presses “Investigate”"
    assert started["response"]["data"]["attributes"]["investigation_id"] == state["datadog"]["investigations"][0]["id"]
    pressed = [call for call in calls if call["what"] == "block_actions"][-1]
    assert pressed["request"]["response_url"] == pressed["request"]["token"] == "…"
    assert pressed["gesture"] == started["gesture"]
    assert thread in json.dumps(calls)
    assert "xoxb-" not in json.dumps(calls)
    assert "sandbox-app-key" not in json.dumps(calls)


# -- what breaks -------------------------------------------------------------------------------------------------------


async def test_too_many_requests_strike_some_times_and_the_bot_gets_through(visitor: Visitor) -> None:
    thread = str((await alert(visitor))["ts"])
    await visitor.sees(lambda state: "Investigate" in words(state, thread))
    await visitor.does("fault", id="datadog_429", on=True)
    fault = _fault(await visitor.state(), "datadog_429")
    assert (fault["active"], fault["remaining"]) == (True, 3)
    await visitor.clicks("Investigate", thread=thread)
    state = await visitor.sees(lambda state: "AI-written" in words(state, thread))
    assert not _fault(state, "datadog_429")["active"]
    assert any(call["status"] == 429 and call["to"] == "datadog" for call in state["journal"])


def _fault(state: JSON, fault_id: str) -> JSON:
    found: JSON = next(fault for fault in state["faults"]["faults"] if fault["id"] == fault_id)
    return found


async def test_a_revoked_key_is_told_in_slack_and_works_again_once_mended(visitor: Visitor) -> None:
    thread = str((await alert(visitor))["ts"])
    await visitor.sees(lambda state: "Investigate" in words(state, thread))
    await visitor.does("fault", id="datadog_key", on=True)
    await visitor.clicks("Investigate", thread=thread)
    await visitor.sees(lambda state: any(call["status"] == 403 for call in state["journal"]))
    await visitor.does("fault", id="datadog_key", on=False)
    await concluded(visitor, "apm")


async def test_while_slack_is_down_nothing_can_be_done_there_and_then_everything_goes_on(visitor: Visitor) -> None:
    await visitor.does("fault", id="slack_down", on=True)
    channel = await visitor.channel("alerts")
    down = await visitor.tries("say", channel=channel, text="hello?")
    assert down["error"] == "Slack is down: nothing you do arrives. Mend it at the faults."
    await visitor.does("fault", id="slack_down", on=False)
    await concluded(visitor)


async def test_a_killed_bot_goes_on_where_it_was_once_it_starts_again(visitor: Visitor) -> None:
    await visitor.does("set_outcome", outcome="never")
    thread = str((await alert(visitor))["ts"])
    await visitor.clicks("Investigate", thread=thread)
    state = await visitor.sees(lambda state: not state["datadog"]["investigations"][0]["concluded"])
    await visitor.does("bot", do="kill")
    await visitor.sees(lambda state: state["faults"]["bot"] == "stopped")
    dead = await visitor.tries("open_home")
    assert dead["ok"]  # Slack shows the old Home; its event waits
    await visitor.does("finish", investigation=state["datadog"]["investigations"][0]["id"])
    await visitor.does("bot", do="start")
    await visitor.sees(lambda state: "AI-written" in words(state, thread))
    state = await visitor.sees(lambda state: state["faults"]["bot"] == "running")
    found = [one for _, one in all_messages(state) if one.get("thread_ts") == thread and "AI-written" in one["text"]]
    assert len(found) == 1


# -- the stream --------------------------------------------------------------------------------------------------------


async def test_the_stream_sends_everything_once_and_then_only_what_changed(visitor: Visitor) -> None:
    channel = await visitor.channel("payments")
    async with visitor.stream() as events:
        first = await anext(events)
        assert set(first) == set(await visitor.state()) | {"event"}
        assert first["event"] == "state"
        said = await visitor.does("say", channel=channel, text="Only this is new.")
        change = await _change(events, "messages")
        assert set(change["messages"]) == {channel}
        assert change["messages"][channel][-1]["ts"] == said["ts"]
        assert "people" not in change
        assert "datadog" not in change
        await visitor.does("set_speed", seconds=7)
        change = await _change(events, "datadog")
    assert change["datadog"]["speed"] == 7
    assert "messages" not in change


async def _change(events: AsyncIterator[JSON], section: str) -> JSON:
    """The next event with this section in it; the bot's own calls may come before."""
    async for sections in events:
        if section in sections:
            assert sections["event"] == "change"
            return sections
    raise AssertionError("the stream ended")


async def test_what_the_stream_sent_adds_up_to_the_state(visitor: Visitor) -> None:
    async with visitor.stream() as events:
        state = await anext(events)
        await concluded(visitor)
        await visitor.does("say", channel=await visitor.channel("payments"), text="The end.")
        async for change in events:
            state = after(state, change)
            whole = await visitor.state()
            if all(state[section] == whole[section] for section in ("messages", "datadog", "journal")):
                break
    assert '"The end."' in words(state)
