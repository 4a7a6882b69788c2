"""The weekly digest of a channel and `/bits report`, put together."""

from dataclasses import dataclass

from bot.digest.report import ReportReader
from bot.digest.views import csv_message, digest_message
from bot.digest.weekly_digests import DigestPost, WeeklyDigests
from bot.foundation import Foundation
from bot.model import Place
from bot.orgs.repository import OrgRepository
from bot.rules import no_start
from bot.rules.permissions import NotAllowed, Permissions
from bot.rules.room import RuleRoom
from bot.slack.commands import Command
from bot.slack.interactions import Interaction
from bot.slack.listeners import After
from bot.slack.replies import Replies
from bot.wording import INVESTIGATIONS


@dataclass(frozen=True, slots=True)
class ReportCommand:
    permissions: Permissions
    reader: ReportReader
    replies: Replies

    def commands(self) -> tuple[Command[bool]]:
        usage = (
            ("", "this channel's last seven days: causes, votes, open cases, noisiest monitors"),
            ("csv", "the same investigations as CSV"),
        )
        return (Command("report", usage, _wants_csv, self.run),)

    async def run(self, typed: Interaction, as_csv: bool) -> After:
        return self._tell(typed.place, typed.person, as_csv=as_csv)

    async def _tell(self, place: Place, person: str, *, as_csv: bool) -> None:
        verdict = await self.permissions.may_look(place, person)
        if isinstance(verdict, NotAllowed):
            refused = no_start.refused(verdict, doing=f"see {INVESTIGATIONS} here")
            await self.replies.tell(place, person, refused)
            return
        report = await self.reader.lately(place.workspace, place.channel)
        await self.replies.tell(place, person, csv_message(report) if as_csv else digest_message(report))


def _wants_csv(words: str) -> bool:
    return words.strip().lower() == "csv"


@dataclass(frozen=True, slots=True)
class DigestRoom:
    weekly: WeeklyDigests
    posts: DigestPost
    command: ReportCommand


def build(base: Foundation, orgs: OrgRepository, rules: RuleRoom) -> DigestRoom:
    reader = ReportReader(base.database, orgs)
    return DigestRoom(
        WeeklyDigests(base.database, rules.rules),
        DigestPost(base.database, reader),
        ReportCommand(rules.permissions, reader, base.replies),
    )
