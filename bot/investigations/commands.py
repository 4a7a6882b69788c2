"""The commands `investigate`, `list` and `show`: what people may write after them, and what they do."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.datadog.errors import DatadogError, NotFound
from bot.datadog.links import EventLink, InvestigationLink, Link, MonitorLink, parse_link
from bot.datadog.orgs import ConnectedOrg
from bot.datadog.trouble import Trouble, TroubleKind, trouble_of
from bot.investigations import answers, doubts
from bot.investigations.asking import StartRequests
from bot.investigations.doubts import Doubtful
from bot.investigations.message_alerts import subject_of
from bot.investigations.questions import Unclear, read_free_text
from bot.investigations.repository import InvestigationRepository
from bot.investigations.requests import INVESTIGATE, Investigate
from bot.model import EventRef, ExistingRun, Int64, MonitorRef, Question, Source, ThreadRef
from bot.orgs.questions import OrgQuestions, Resumable
from bot.orgs.repository import OrgRepository
from bot.rules import no_start
from bot.rules.budget import Budget
from bot.rules.org_choice import WhichOrg
from bot.rules.permissions import NotAllowed, Permissions
from bot.slack.blocks import Message
from bot.slack.commands import Command, Invalid, invalid, link_in, split_word, unquoted
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.payloads import carried_in, number_of
from bot.slack.replies import Replies
from bot.slack.text import code
from bot.wording import INVESTIGATION, INVESTIGATIONS

logger = logging.getLogger(__name__)

NOTHING_NAMED = "Tell me what to investigate: a monitor id, a link to a monitor or alert, or a question in words."

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FILLERS = {"the", "this", "that", "a", "alert", "monitor", "event", "investigation", "link", "id", "please", "pls"}
_THIS = frozenset({"it", "here"})
_LONGEST_MONITOR_ID = 15  # digits; an event id has 19


@dataclass(frozen=True, slots=True)
class ListRequest:
    monitor_id: Int64 | None = None
    offset: Int64 = 0
    host: str = field(default="", compare=False)  # of the link that was typed


@dataclass(frozen=True, slots=True)
class ShowRequest:
    id: str
    host: str = field(default="", compare=False)


Ask = Callable[[ConnectedOrg], Awaitable[Message]]

LIST = Resumable("list", ListRequest)
SHOW = Resumable("show", ShowRequest)


@dataclass(frozen=True, slots=True)
class InvestigationCommands:
    """Where no organisation is given it is found out, or asked for."""

    starts: StartRequests
    permissions: Permissions
    which_org: WhichOrg
    orgs: OrgRepository
    replies: Replies
    repository: InvestigationRepository
    budget: Budget
    is_command: Callable[[str], bool]
    clock: Callable[[], float]  # in Unix seconds: a time window ends now

    def commands(self) -> tuple[Command[Any], ...]:
        started = (
            ("<monitor id>", "the latest alert of a monitor"),
            ("<link>", "an alert, monitor or event; an investigation's link is followed, not started again"),
            ("<question> [#service:web] [last 2h]", "a question in your own words, with tags and a time window"),
        )
        listed = (("[monitor <id or link>]", f"the latest {INVESTIGATIONS}, all of them page by page"),)
        shown = (("<investigation id or link>", f"how one {INVESTIGATION} stands"),)
        return (
            Command("investigate", started, self.read_investigate, self.investigate, ("inv",), costs=True),
            Command("list", listed, read_list, self.list_latest, ("ls",)),
            Command("show", shown, read_show, self.show_one),
        )

    def go_on_after(self, questions: OrgQuestions) -> None:
        questions.when_answered(INVESTIGATE, self.starts.start)
        questions.when_answered(LIST, self.list_latest)
        questions.when_answered(SHOW, self.show_one)

    def read_investigate(self, rest: str) -> Investigate | Doubtful | Invalid:
        request = read_investigate(rest, self.clock())
        if isinstance(request, Investigate) and isinstance(request.subject, Question):
            return doubts.doubtful(request.subject, self.is_command) or request
        return request

    async def investigate(self, typed: Interaction, request: Investigate | Doubtful) -> After:
        if isinstance(request, Doubtful):
            usage = await self.budget.usage(typed.place)
            return doubts.asked_back(request, usage, key=typed.key, place=typed.place)
        if isinstance(request.subject, ThreadRef) and not typed.place.thread_ts:
            return invalid(NOTHING_NAMED)
        # only a mention comes without the right to open a window
        source = Source.COMMAND if typed.trigger_id else Source.MENTION
        return await self.starts.start(typed, replace(request, source=source))

    async def offer(self, mention: Interaction) -> Message | None:
        """What can be done in a thread with an investigation, for a mention that names no command; its text is the words."""
        place = mention.place
        known = await self.repository.latest_in_thread(place.workspace, place.channel, place.thread_ts)
        if known is None:
            return None
        verdict = await self.permissions.may_look(place, mention.person)
        if isinstance(verdict, NotAllowed):
            return no_start.refused(verdict, doing=f"see {INVESTIGATIONS} here")
        return answers.offer_in_thread(known, mention.text, app_url=self.orgs.app_url(known.org))

    def register(self, on: Listeners) -> None:
        judged = Judged("the look-up")
        on.action(re.compile(rf"^{answers.PAGE}"), self.turn_page, judged)
        on.action(answers.SHOW, self.show_listed, judged)

    async def list_latest(self, interaction: Interaction, request: ListRequest, org: str = "") -> After:
        return self._look_up(interaction, org, request.host, LIST.record(request), self._list(request, interaction))

    async def turn_page(self, click: Interaction) -> After:
        """In the place of the page that was turned."""
        told = carried_in(click.value)
        monitor, offset = told.get("monitor"), number_of(told.get("offset"))
        request = ListRequest(number_of(monitor) or None, offset)
        ask = self._list(request, click)
        return self._look_up(click, str(told.get("org") or ""), "", LIST.record(request), ask, in_place=True)

    def _list(self, request: ListRequest, interaction: Interaction) -> Ask:
        async def ask(connected: ConnectedOrg) -> Message:
            page = await connected.bits.page(request.offset, answers.LISTED, request.monitor_id)
            ids = [item.id for item in page.items]
            known = await self.repository.by_datadog_ids(interaction.workspace, connected.name, ids)
            listed = answers.Listed(page, request.offset, connected.name, request.monitor_id, known)
            return answers.investigation_list(listed, app_url=connected.app_url)

        return ask

    async def show_listed(self, click: Interaction) -> After:
        told = carried_in(click.value)
        return await self.show_one(click, ShowRequest(str(told.get("run") or "")), str(told.get("org") or ""))

    async def show_one(self, interaction: Interaction, request: ShowRequest, org: str = "") -> After:
        async def ask(connected: ConnectedOrg) -> Message:
            try:
                detail = await connected.bits.get(request.id)
            except NotFound:
                return answers.unknown_investigation(request.id)
            known = await self.repository.by_datadog_ids(interaction.workspace, connected.name, [detail.id])
            return answers.investigation_summary(detail, app_url=connected.app_url, known=known.get(detail.id))

        if not request.id:
            return answers.no_longer_alert()
        return self._look_up(interaction, org, request.host, SHOW.record(request), ask)

    async def _look_up(
        self,
        interaction: Interaction,
        org: str,
        host: str,
        record: dict[str, Any],
        ask: Ask,
        *,
        in_place: bool = False,
    ) -> None:
        """`in_place` of the message that was clicked."""
        place, person = interaction.place, interaction.person
        verdict = await self.permissions.may_look(place, person)
        if isinstance(verdict, NotAllowed):
            await self.replies.tell(place, person, no_start.refused(verdict, doing=f"see {INVESTIGATIONS} here"))
        elif org := org or await self.which_org.of(interaction, host, record):
            message = await self._asked(org, place.workspace, ask)
            await (
                self.replies.replace(interaction, message) if in_place else self.replies.tell(place, person, message)
            )

    async def _asked(self, org: str, workspace: str, ask: Ask) -> Message:
        reference = secrets.token_hex(3).upper()
        try:
            connected = await self.orgs.get(org, workspace)
            return await ask(connected) if connected else answers.refused(Trouble(TroubleKind.NO_ORG))
        except DatadogError as error:
            logger.warning("look-up %s failed: %s", reference, type(error).__name__)
            return answers.refused(trouble_of(error), ref=reference)


# -- what may follow `investigate` ----------------------------------------------------------------------------------


def read_investigate(rest: str, now: float) -> Investigate | Invalid:
    target = unquoted(rest)
    named_words = _without_fillers(target)
    if not named_words or named_words.lower() in _THIS:
        return Investigate(ThreadRef())
    first, more = split_word(named_words)
    named = _linked(first) if more else _named(first)
    if named is not None:
        return named
    question = read_free_text(target, now)
    return Invalid(question.reason) if isinstance(question, Unclear) else Investigate(question)


def _without_fillers(target: str) -> str:
    """`the alert <link> please` means the link: as a question it would cost a run that nobody wanted."""
    words = target.split()
    while words and words[0].lower().rstrip(":") in _FILLERS:
        words = words[1:]
    while words and words[-1].lower().rstrip(".!") in _FILLERS:
        words = words[:-1]
    return " ".join(words)


def _named(word: str) -> Investigate | Invalid | None:
    """A single word: an id, or a link that has to lead somewhere we can go."""
    if word.isascii() and word.isdigit():
        return _numbered(word)
    if _UUID.fullmatch(word):
        return Investigate(ExistingRun(word.lower()))
    if re.match(r"https?://", word, re.IGNORECASE):
        return _linked(word) or Invalid(_why_not(parse_link(word)))
    return None


def _numbered(digits: str) -> Investigate | Invalid:
    if not digits.strip("0") or len(digits) > 20:
        return Invalid(f"{code(digits, 40)} is no monitor id. You find it in the monitor's URL, after `/monitors/`.")
    return Investigate(MonitorRef(int(digits)) if len(digits) <= _LONGEST_MONITOR_ID else EventRef(digits))


def _linked(word: str) -> Investigate | None:
    """A link in front decides, whatever stands behind it: an alert meant must not become a question, which costs too."""
    link = parse_link(link_in(word))
    if isinstance(link, InvestigationLink):
        return Investigate(ExistingRun(link.investigation_id.lower(), host=link.host))
    return Investigate(subject_of(link)) if isinstance(link, MonitorLink | EventLink) else None


def _why_not(link: Link | None) -> str:
    if link is None:
        return "That link does not lead to Datadog. Paste the link of a monitor, an alert or an investigation."
    return (
        "That Datadog link is no monitor, alert or investigation. Paste one of those, "
        "or ask in words and keep the link in the text."
    )


# -- what may follow `list` and `show` ------------------------------------------------------------------------------


def read_list(rest: str) -> ListRequest | Invalid:
    word, _ = split_word(re.sub(r"\A(?:of\s+)?monitor[\s:=]+", "", unquoted(rest), flags=re.IGNORECASE))
    if not word:
        return ListRequest()
    link = parse_link(link_in(word))
    if isinstance(link, MonitorLink):
        return ListRequest(link.monitor_id, host=link.host)
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_MONITOR_ID and word.strip("0"):
        return ListRequest(int(word))
    return Invalid(f"{code(word, 80)} is no monitor. Give its id or its link, or nothing to see all.")


def read_show(rest: str) -> ShowRequest | Invalid:
    word, _ = split_word(unquoted(rest))
    link = parse_link(link_in(word))
    if isinstance(link, InvestigationLink):
        return ShowRequest(link.investigation_id.lower(), link.host)
    if _UUID.fullmatch(word):
        return ShowRequest(word.lower())
    given = f"{code(word, 80)} is no investigation." if word else "Tell me which investigation."
    return Invalid(f"{given} Give its link, or the id from its link; `list` shows the latest.")
