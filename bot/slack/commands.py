"""The commands behind `/bits …` and `@Bits Bot …`: each says in one entry how it is typed, what it means and what it runs.

Knows no feature: every room offers its own entries.
"""

import difflib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from bot.slack.blocks import Message, context, section, sentences
from bot.slack.gates import Judged
from bot.slack.interactions import Interaction
from bot.slack.listeners import After, Listeners
from bot.slack.text import clean, code, escape, one_line, unescape
from bot.wording import COMMAND

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>:?")
_TOKEN = re.compile(r"<(?:(?P<sign>[@#!])(?P<name>[^<>|]*)|(?P<url>[^<>|\s]+))(?:\|(?P<label>[^<>]*))?>")
_SMART = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "\u2018": "'", "\u2019": "'"})

T = TypeVar("T")
Offer = Callable[[Interaction], Awaitable[Message | None]]
Say = Callable[[Interaction, str], Awaitable[Message | None]]


@dataclass(frozen=True, slots=True)
class Invalid:
    """What was typed does not fit its command; the reason is a sentence for the person (mrkdwn)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    name: str
    usage: tuple[tuple[str, str], ...]  # (what to type after the name, what it does)
    read: Callable[[str], T | Invalid]  # gets what follows the name, as plain text
    run: Callable[[Interaction, T], Awaitable[After]]
    aliases: tuple[str, ...] = ()
    costs: bool = False  # never suggested for a word that nobody knows


@dataclass(frozen=True, slots=True)
class Typed(Generic[T]):
    """A command with what was read after it."""

    command: Command[T]
    request: T


class Commands:
    """The table of all commands, in the order in which help shows them. Help itself is the last."""

    def __init__(self, opening: str, also: str) -> None:
        """`opening` stands above the list that help shows, `also` below it (mrkdwn)."""
        self._opening = opening
        self._also = also
        self._commands: tuple[Command[Any], ...] = ()
        self._by_word: dict[str, Command[Any]] = {}
        self.offer: Offer | None = None  # in place of the usage, for a mention that names no command
        self.say: Say | None = None  # before that, for a sentence after the mention that begins the message

    def add(self, *commands: Command[Any]) -> None:
        """Those of all rooms; called once."""
        help_ = Command("help", (("", "this text"),), str, self._help, ("?", "-h", "--help"))
        self._commands = (*commands, help_)
        self._by_word = {word: each for each in self._commands for word in (each.name, *each.aliases)}

    def register(self, on: Listeners) -> None:
        judged = Judged("each command by itself")
        on.command(COMMAND, self.answer, judged)
        on.mention(self.answer, judged)

    async def answer(self, interaction: Interaction) -> After:
        is_mention = not interaction.trigger_id  # it comes without the right to open a window
        if is_mention and not self.knows(self._first(interaction.text)):
            said = replace(interaction, text=self._without_mention(interaction.text))
            answered = await self._said(interaction) or (self.offer and await self.offer(said))
            if answered:
                return answered
        typed = self.parse(interaction.text)
        return await typed.command.run(interaction, typed.request) if isinstance(typed, Typed) else typed

    async def _said(self, mention: Interaction) -> Message | None:
        """One word, or what is nearly a command, is more likely a command with a typing error."""
        words = self._without_mention(mention.text)
        first, rest = split_word(words)
        if self.say is None or not rest or not _MENTION.match(mention.text.strip()) or self._close(first):
            return None
        return await self.say(mention, words)

    def parse(self, text: str) -> Typed[Any] | Message:
        """What the person wants, or what to tell them instead.

        `text` is as Slack delivers it: escaped, links in <>, a mention perhaps in front.
        """
        words = self._without_mention(text)
        first, rest = split_word(words)
        if not first:
            return self._usage("What can I do for you?")
        command = self._named(first)
        if command is None:
            return self._usage(
                f"I don't know {code(one_line(first, 60), 60)}. {self._suggestion(first, words)}".strip()
            )
        request = command.read(rest)
        return invalid(request.reason) if isinstance(request, Invalid) else Typed(command, request)

    @property
    def usage_lines(self) -> list[tuple[str, str]]:
        """Every form of every command with what it does."""
        return [(f"{each.name} {form}".strip(), meaning) for each in self._commands for form, meaning in each.usage]

    @property
    def usage(self) -> str:
        """The same as a list for people (mrkdwn)."""
        return "\n".join(f"• `{COMMAND} {escape(form)}` - {escape(meaning)}" for form, meaning in self.usage_lines)

    async def _help(self, _interaction: Interaction, _words: str) -> Message:
        return self._usage(self._opening)

    def _usage(self, opening: str) -> Message:
        text = f"{opening}\n{self.usage}"
        return Message(f"{text}\n{self._also}", [section(text), context(self._also)])

    def knows(self, word: str) -> bool:
        return self._named(word) is not None

    def _first(self, text: str) -> str:
        return split_word(self._without_mention(text))[0]

    def _named(self, word: str) -> Command[Any] | None:
        return self._by_word.get(word.lower().rstrip(":"))

    def _without_mention(self, text: str) -> str:
        """The words after the mention of us; what stands before it is only a greeting if a command follows."""
        found = _MENTION.search(text)
        if found is None:
            return readable(text)
        before, after = readable(text[: found.start()]), readable(text[found.end() :])
        ours = not before or (self._named(split_word(after)[0]) and not self._named(split_word(before)[0]))
        return after if ours else readable(text)

    def _close(self, first: str) -> Command[Any] | None:
        close = difflib.get_close_matches(first.lower(), self._by_word, n=1, cutoff=0.75)
        return self._by_word[close[0]] if close else None

    def _suggestion(self, first: str, words: str) -> str:
        """What was perhaps meant: the command with nearly this name, never one that costs for a guess."""
        command = self._close(first)
        if command is None or command.costs:
            return ""
        perhaps = f"{COMMAND} {command.name} {split_word(words)[1]}".strip()
        return f"Did you mean {code(perhaps, 200)}?"


def invalid(reason: str) -> Message:
    return sentences(reason, f"`{COMMAND} help` shows examples.")


# -- reading what was typed -----------------------------------------------------------------------------------------


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


def split_word(words: str) -> tuple[str, str]:
    """The first word and the rest."""
    first, *rest = words.split(None, 1)[:2] or [""]
    return first, rest[0] if rest else ""


def unquoted(text: str) -> str:
    stripped = text.strip()
    pair = stripped[:1] + stripped[-1:]
    return stripped[1:-1].strip() if len(stripped) > 1 and pair in {'""', "''", "``", "<>"} else stripped


def link_in(word: str) -> str:
    """A link without the quotes, brackets and marks that surround it in a sentence."""
    return word.strip("\"'()").rstrip(",.;")
