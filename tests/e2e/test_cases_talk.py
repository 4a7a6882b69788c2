"""Comments both ways between a case's thread and Datadog: each once, under its author's name, and never an echo."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.rules.model import CaseDefaults, ChannelRules
from bot.rules.repository import RuleRepository
from bot.sandbox.datadog import FakeUser
from bot.sandbox.slack import Message
from tests.e2e.case_town import card_of, case_town, investigated, opens_form, sees_it_made, shown
from tests.e2e.town import QUICK, Town


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with case_town(tmp_path, replace(QUICK, follow=0.1)) as town:
        yield town


async def _wants_comments(town: Town) -> None:
    book = RuleRepository(town.bot._database)
    draft = await book.draft(town.slack.workspace.id, town.channel.id)
    wanted = ChannelRules(town.slack.workspace.id, town.channel.id, case=CaseDefaults(comments=True))
    assert await book.save(replace(draft, channel=wanted), town.ana.id)


def _ana(town: Town) -> FakeUser:
    return next(user for user in town.datadog.org.users.values() if user.name == "Ana Lytic")


async def _says(town: Town, card: Message, *words: str) -> None:
    await town.slack.wait_for(lambda: all(word in card.shown for word in words))


async def test_a_comment_made_in_datadog_comes_once_as_a_reply_where_it_is_wanted(town: Town) -> None:
    await _wants_comments(town)
    case, card = await shown(town)
    town.datadog.comment_on(case, "It is <!channel> & the log rotation", _ana(town))
    town.datadog.comment_on(case, "Fixed", _ana(town))
    await town.reads(card, "Ana Lytic commented on case CASEM-42", "<!channel> & the log rotation", "Fixed")
    assert town.slack.broadcasts == []

    reply = card.replies[0]
    await town.ben.shortcut("comment_on_case", on=reply)
    await town.slack.wait_for(lambda: "stands on the case already" in town.ben.sees)
    await town.bot.stop()
    town.datadog.comment_on(case, "While you were away", _ana(town))
    town.datadog.break_next("GET", "/api/v2/cases/*/timelines", status=503, times=4)
    await town.start_bot()
    await town.reads(card, "While you were away")
    await _says(town, card, "Comments: 3")
    assert len(card.replies) == 3
    assert town.datadog.comments() == []


async def test_one_that_is_deleted_while_another_is_made_hides_none(town: Town) -> None:
    """Their number stays the same."""
    await _wants_comments(town)
    case, card = await shown(town)
    first = town.datadog.comment_on(case, "Nonsense", _ana(town))
    await town.reads(card, "Nonsense")
    case.comments.remove(first)
    town.datadog.comment_on(case, "It is the log rotation", _ana(town))
    await town.reads(card, "It is the log rotation")
    town.datadog.change_case(case, title="Renamed")
    await _says(town, card, "Renamed")
    assert len(card.replies) == 2


async def test_other_channels_hear_nothing_of_it(town: Town) -> None:
    case, card = await shown(town)
    town.datadog.comment_on(case, "Nobody wants this in Slack", _ana(town))
    await _says(town, card, "Comments: 1")
    await _wants_comments(town)  # what was said before stays there
    town.datadog.comment_on(case, "From now on", _ana(town))
    await town.reads(card, "From now on")
    assert len(card.replies) == 1


async def test_a_reply_that_begins_with_a_mention_becomes_a_comment_and_is_not_told_again(town: Town) -> None:
    await _wants_comments(town)
    case, card = await shown(town)
    await town.ben.mention("the disk of db-3 is full again", in_=town.channel, thread=card)
    await _says(town, card, "@ben commented", "Comments: 1")
    assert town.datadog.comments() == ["ben wrote in Slack:\n\nthe disk of db-3 is full again"]
    assert "becomes a comment on case CASEM-42" in town.ben.sees

    said = await town.ana.say("I have seen this before", in_=town.channel, thread=card)
    town.datadog.break_next("POST", "/api/v2/cases/*/comment", drop="after")
    await town.ben.shortcut("comment_on_case", on=said)
    await town.datadog.wait_for(lambda: len(town.datadog.comments()) == 2)
    assert town.datadog.comments()[1] == "ana wrote in Slack:\n\nI have seen this before"
    town.datadog.comment_on(case, "Heard", _ana(town))
    await town.reads(card, "Heard")
    assert [reply.shown for reply in card.replies if "wrote in Slack" in reply.shown] == []
    assert len(town.datadog.comments()) == 2


async def test_typing_errors_and_other_threads_make_no_comment(town: Town) -> None:
    _, card = await shown(town)
    for words, thread in (("settigns please", card), ("thanks", card), ("what is this", None)):
        before = len(town.ben.ephemerals)
        await town.ben.mention(words, in_=town.channel, thread=thread)
        await town.slack.wait_for(lambda before=before: len(town.ben.ephemerals) > before)  # type: ignore[misc]
    said = await town.ana.say("No case here", in_=town.channel)
    await town.ana.shortcut("comment_on_case", on=said)
    await town.slack.wait_for(lambda: "I know no case of this thread" in town.ana.sees)
    assert town.datadog.comments() == []


async def test_what_the_bot_said_when_it_opened_the_case_is_no_news(town: Town) -> None:
    await _wants_comments(town)
    alert = await investigated(town)
    await opens_form(town.ana, alert)
    await town.ana.fill({"Description": "Look into it"})
    await town.ana.submit()
    await sees_it_made(town.ana)
    (case,) = town.datadog.cases()
    card = await card_of(town, alert.message, "opened this case", "Comments: 1")
    town.datadog.comment_on(case, "From a person", _ana(town))
    await town.reads(alert.message, "From a person")
    await _says(town, card, "Comments: 2")
    assert len([reply for reply in alert.message.replies if "commented on case" in reply.shown]) == 1
