"""One grammar behind `/bits …` and `@Bits Bot …`: from what a person typed to what she wants. Nothing is done here."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.cases.match import match_case
from bot.datadog.links import EventLink, InvestigationLink, Link, MonitorLink, parse_link
from bot.investigations.message_alerts import subject_of
from bot.investigations.questions import Unclear, read_free_text
from bot.model import EventRef, ExistingRun, MonitorRef, Subject, ThreadRef
from bot.slack.text import clean, code, one_line, unescape
from bot.wording import CASE, CASES, DATADOG, INSIGHTS, INVESTIGATION, INVESTIGATIONS

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>:?")
_TOKEN = re.compile(r"<(?:(?P<sign>[@#!])(?P<name>[^<>|]*)|(?P<url>[^<>|\s]+))(?:\|(?P<label>[^<>]*))?>")
_SMART = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "\u2018": "'", "\u2019": "'"})
_FILLERS = {"the", "this", "that", "a", "alert", "monitor", "event", "investigation", "link", "id", "please", "pls"}
_THIS = frozenset({"it", "here"})
_LONGEST_MONITOR_ID = 15  # digits; an event id has 19


@dataclass(frozen=True, slots=True)
class Investigate:
    subject: Subject


@dataclass(frozen=True, slots=True)
class List:
    monitor_id: int | None = None
    host: str = field(default="", compare=False)  # of the link that was typed


@dataclass(frozen=True, slots=True)
class Show:
    investigation_id: str
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Attach:
    """Insights to a case; the words name the case and may be empty."""

    case: str = ""


@dataclass(frozen=True, slots=True)
class ShowCase:
    identifier: str  # a key or Datadog's id
    host: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class NewCase:
    title: str = ""  # untrusted


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The form with the channel's rules."""


@dataclass(frozen=True, slots=True)
class Status:
    """Budget, what runs, the channel's rules and health, in short."""


@dataclass(frozen=True, slots=True)
class ShowAudit:
    """Who started what, and what was refused."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A Datadog organisation; the words may be a link or the name of its site."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    pass


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclass(frozen=True, slots=True)
class Unknown:
    """No verb of ours; `suggestion` is what was perhaps meant, to be typed after the command (untrusted)."""

    word: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A verb of ours with something that does not fit it; the reason is a sentence for the person (mrkdwn)."""

    reason: str


Govern = ChannelSettings | Status | ShowAudit
Wish = Investigate | List | Show | ShowCase | NewCase | Attach | Govern | Connect | Help | Empty | Unknown | Invalid


@dataclass(frozen=True, slots=True)
class Verb:
    """`read` gets what follows the verb, as plain text, and the time now in Unix seconds."""

    name: str
    usage: tuple[tuple[str, str], ...]  # (what to type after the verb, what it does)
    read: Callable[[str, float], Wish]
    aliases: tuple[str, ...] = ()


def parse(text: str, *, now: float) -> Wish:
    """What the person wants. `text` as Slack delivers it: escaped, links in <>, a mention perhaps in front."""
    words = _without_mention(text)
    first, rest = _split(words)
    if not first:
        return Empty()
    verb = _BY_WORD.get(first.lower().rstrip(":"))
    if verb is None:
        return Unknown(one_line(first, 60), _suggestion(first, words))
    return verb.read(rest, now)


def usage_lines() -> list[tuple[str, str]]:
    """Every form of every verb with what it does, for the help text and the docs."""
    return [(f"{verb.name} {form}".strip(), meaning) for verb in VERBS for form, meaning in verb.usage]


def _without_mention(text: str) -> str:
    """The words after the mention of us; what stands before it is only a greeting if a verb follows."""
    found = _MENTION.search(text)
    if found is None:
        return readable(text)
    before, after = text[: found.start()], text[found.end() :]
    ours = not before.strip() or (_starts_with_verb(after) and not _starts_with_verb(before))
    return readable(after if ours else text)


def _starts_with_verb(text: str) -> bool:
    first, _ = _split(readable(text))
    return first.lower().rstrip(":") in _BY_WORD


def readable(text: str) -> str:
    """Slack's tokens as plain text: the URL of a link, the name of a channel or person; entities undone."""
    return clean(unescape(_TOKEN.sub(_token_words, text)).translate(_SMART)).strip()


def _token_words(token: re.Match[str]) -> str:
    label = token["label"] or ""
    if token["sign"]:
        name = label or token["name"]
        return ("#" if token["sign"] == "#" else "@") + name.lstrip("#@")
    url = token["url"].removeprefix("mailto:")
    bare = re.sub(r"\Ahttps?://", "", url).rstrip("/")
    # the URL first: a link in front decides what is meant, whatever it is called
    return url if not label or label.rstrip("/").removeprefix("https://") in {url, bare} else f"{url} ({label})"


def _split(words: str) -> tuple[str, str]:
    first, *rest = words.split(None, 1)[:2] or [""]
    return first, rest[0] if rest else ""


def _suggestion(first: str, words: str) -> str:
    close = difflib.get_close_matches(first.lower(), _BY_WORD, n=1, cutoff=0.75)
    if close:
        return f"{_BY_WORD[close[0]].name} {_split(words)[1]}".strip()
    return f"investigate {words}"


def _investigate(rest: str, now: float) -> Wish:
    target = _unquoted(rest)
    named_words = _without_fillers(target)
    if not named_words or named_words.lower() in _THIS:
        return Investigate(ThreadRef())
    first, more = _split(named_words)
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


def _named(word: str) -> Wish | None:
    """A single word: an id, or a link that has to lead somewhere we can go."""
    if word.isascii() and word.isdigit():
        return _numbered(word)
    if _UUID.fullmatch(word):
        return Investigate(ExistingRun(word.lower()))
    if re.match(r"https?://", word, re.IGNORECASE):
        return _linked(word) or Invalid(_why_not(parse_link(word)))
    return None


def _numbered(digits: str) -> Wish:
    if not digits.strip("0") or len(digits) > 20:
        return Invalid(f"{code(digits, 40)} is no monitor id. You find it in the monitor's URL, after `/monitors/`.")
    return Investigate(MonitorRef(int(digits)) if len(digits) <= _LONGEST_MONITOR_ID else EventRef(digits))


def _linked(word: str) -> Wish | None:
    """A link in front decides, whatever stands behind it: an alert meant must not become a question, which costs too."""
    link = parse_link(_link_target(word))
    if isinstance(link, InvestigationLink):
        return Investigate(ExistingRun(link.investigation_id.lower(), host=link.host))
    return Investigate(subject_of(link)) if isinstance(link, MonitorLink | EventLink) else None


def _link_target(word: str) -> str:
    return word.strip("\"'()").rstrip(",.;")


def _why_not(link: Link | None) -> str:
    if link is None:
        return "That link does not lead to Datadog. Paste the link of a monitor, an alert or an investigation."
    return (
        "That Datadog link is no monitor, alert or investigation. Paste one of those, "
        "or ask in words and keep the link in the text."
    )


def _list(rest: str, _now: float) -> Wish:
    word, _ = _split(_unquoted(rest).removeprefix("monitor "))
    if not word:
        return List()
    link = parse_link(_link_target(word))
    if isinstance(link, MonitorLink):
        return List(link.monitor_id, link.host)
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_MONITOR_ID and word.strip("0"):
        return List(int(word))
    return Invalid(f"{code(word, 80)} is no monitor. Give its id or its link, or nothing to see all.")


def _show(rest: str, _now: float) -> Wish:
    word, _ = _split(_unquoted(rest))
    link = parse_link(_link_target(word))
    if isinstance(link, InvestigationLink):
        return Show(link.investigation_id.lower(), link.host)
    if _UUID.fullmatch(word):
        return Show(word.lower())
    given = f"{code(word, 80)} is no investigation." if word else "Tell me which investigation."
    return Invalid(f"{given} Give its link, or the id from its link; `list` shows the latest.")


def _attach(rest: str, _now: float) -> Wish:
    words = re.sub(r"^(?:insights?\s+)?(?:to\s+)?", "", _unquoted(rest), flags=re.IGNORECASE)
    return Attach(_unquoted(words).removeprefix("#"))


def _case(rest: str, _now: float) -> Wish:
    first, more = _split(_unquoted(rest))
    if first.lower() in {"new", "create"}:
        return NewCase(one_line(_unquoted(more), 200))
    words = [word for word in _unquoted(rest).split() if word.lower() not in {"show", "the", CASE}]
    match = match_case(_link_target(" ".join(words))) or match_case(_link_target(words[0]) if words else "")
    if match is not None:
        return ShowCase(match.identifier)
    given = f"{code(' '.join(words), 80)} names no {CASE}." if words else f"Tell me which {CASE}."
    return Invalid(f"{given} Give its key, like `CASEM-42`, or its link; `case new` opens the form of a new one.")


def _settings(_rest: str, _now: float) -> Wish:
    return ChannelSettings()


def _status(_rest: str, _now: float) -> Wish:
    return Status()


def _audit(_rest: str, _now: float) -> Wish:
    return ShowAudit()


def _connect(rest: str, _now: float) -> Wish:
    return Connect(_link_target(_unquoted(rest)))


def _help(_rest: str, _now: float) -> Wish:
    return Help()


def _unquoted(text: str) -> str:
    stripped = text.strip()
    pair = stripped[:1] + stripped[-1:]
    return stripped[1:-1].strip() if len(stripped) > 1 and pair in {'""', "''", "``", "<>"} else stripped


VERBS: tuple[Verb, ...] = (
    Verb(
        "investigate",
        (
            ("<monitor id>", "the latest alert of a monitor"),
            ("<link>", "an alert, monitor or event; an investigation's link is followed, not started again"),
            ("<question> [#service:web] [last 2h]", "a question in your own words, with tags and a time window"),
        ),
        _investigate,
        ("inv",),
    ),
    Verb("list", (("[monitor id or link]", f"the latest {INVESTIGATIONS}"),), _list, ("ls",)),
    Verb("show", (("<investigation id or link>", f"how one {INVESTIGATION} stands"),), _show),
    Verb(
        "case",
        (
            (f"<{CASE} key or link>", f"the card of a {CASE}, to work on it from here"),
            ("new [title]", f"open a {CASE}"),
        ),
        _case,
        (CASES,),
    ),
    Verb("attach", ((f"[{CASE} key or link]", f"attach {DATADOG} links to a {CASE} as {INSIGHTS}"),), _attach),
    Verb("status", (("", "today's budget, what is running, this channel's rules, and whether all is well"),), _status),
    Verb("settings", (("", "this channel's rules: alerts, automatic starts, budget, who may start"),), _settings),
    Verb("audit", (("", "who started what here, and what was refused; for admins and those the rules name"),), _audit),
    Verb("connect", (("[site or link]", f"connect a {DATADOG} organisation; for workspace admins"),), _connect),
    Verb("help", (("", "this text"),), _help, ("?", "-h", "--help")),
)
_BY_WORD = {word: verb for verb in VERBS for word in (verb.name, *verb.aliases)}
