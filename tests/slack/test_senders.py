"""Which app posted a message, and of which team: from what Slack tells, never from a name."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.clients import BotClient, Workspaces
from bot.slack.senders import Senders

OWN, SIBLING, ENTERPRISE, STRANGER = "T1", "T2", "E1", "T9"


@dataclass
class Slack:
    """Plays our workspaces and Slack's `bots.info`."""

    enterprise: str = ""
    bots: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def bot_client(self, workspace: str) -> BotClient | None:
        client = cast(Any, self)
        return BotClient(client, "UBOT", "BBOT", workspace, self.enterprise) if workspace == OWN else None

    async def bots_info(self, *, bot: str) -> dict[str, Any]:
        self.asked.append(bot)
        if bot not in self.bots:
            raise SlackApiError("no", {"ok": False, "error": "bot_not_found"})  # type: ignore[no-untyped-call]
        return {"bot": {"app_id": self.bots[bot]}}

    async def belongs(self, workspace: str, enterprise: str) -> bool:
        return (workspace, enterprise) == (SIBLING, ENTERPRISE)

    @property
    def senders(self) -> Senders:
        return Senders(cast(Workspaces, self), self.belongs)


CASES: list[tuple[dict[str, Any], bool, bool]] = [
    # what the message tells, whether it is ours alone, whether it is where the bot serves an enterprise
    ({"team": OWN}, True, True),
    ({"bot_profile": {"team_id": OWN}}, True, True),
    ({"team": OWN, "bot_profile": {"team_id": STRANGER}}, False, False),
    ({"team": STRANGER, "bot_profile": {"team_id": OWN}}, False, False),
    ({"team": OWN, "user_team": STRANGER}, False, False),
    ({"team": OWN, "source_team": STRANGER}, False, False),
    ({"team": SIBLING}, False, True),
    ({"team": ENTERPRISE, "bot_profile": {"team_id": OWN}}, False, True),
    ({"team": STRANGER}, False, False),
]


@pytest.mark.parametrize(("told", "alone", "in_enterprise"), CASES)
async def test_every_team_that_is_told_has_to_be_ours(told: dict[str, Any], alone: bool, in_enterprise: bool) -> None:
    for enterprise, expected in (("", alone), (ENTERPRISE, in_enterprise)):
        assert await Slack(enterprise).senders.is_ours({"is_ext_shared_channel": False}, told, OWN) is expected


async def test_what_names_no_team_counts_only_where_nobody_else_can_be() -> None:
    for body, expected in (
        ({"is_ext_shared_channel": False}, True),
        ({"is_ext_shared_channel": True}, False),
        ({}, False),
    ):
        assert await Slack().senders.is_ours(body, {"username": "Datadog"}, OWN) is expected


async def test_an_app_is_told_or_looked_up_once() -> None:
    slack = Slack(bots={"B1": "A1"})
    senders = slack.senders
    assert await senders.app({"app_id": "A2", "bot_id": "B1"}, OWN) == "A2"
    assert await senders.app({"bot_profile": {"app_id": "A3"}, "bot_id": "B1"}, OWN) == "A3"
    assert [await senders.app({"bot_id": "B1", "username": "Datadog"}, OWN) for _ in range(3)] == ["A1"] * 3
    assert slack.asked == ["B1"]


async def test_what_slack_does_not_tell_is_no_app() -> None:
    slack = Slack()
    for message in ({"bot_id": "B9"}, {"bot_id": ""}, {"bot_profile": "odd"}):
        assert await slack.senders.app(message, OWN) == ""
    assert await slack.senders.app({"bot_id": "B9"}, "T0") == ""
