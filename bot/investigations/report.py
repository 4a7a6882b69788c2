"""What of a report belongs into a message: its words formatted where they fit, and the next step it names with its command.
Words are found, never made up."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.slack.blocks import Block, visible_text
from bot.slack.plain import plain_blocks
from bot.slack.text import clean

_MOST_BLOCKS = 4

_NAMES = (
    r"(?:(?:recommended|suggested|immediate|proposed)\s+)?"
    r"(?:next\s+steps?|actions?|remediation|mitigation|recommendations?|resolution|fix)"
)
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*)")
_NEXT_STEP = re.compile(rf"[\d.)\s]*{_NAMES}(?:\s+to\s+take)?\s*:?\s*#*\Z", re.IGNORECASE)
_IN_BOLD = re.compile(rf"\s*\*\*{_NAMES}\s*:?\s*\*\*\s*:?\s*(.*)", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(```+|~~~+)\s*(\S*)")
_SHELL = {"bash", "sh", "shell", "zsh", "console", "powershell", "kubectl", "terminal"}


@dataclass(frozen=True, slots=True)
class NextStep:
    words: str = ""  # Markdown
    command: str = ""

    def __bool__(self) -> bool:
        return bool(self.words)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    heading: str | None = None
    fence: int = 0  # which code block it is of; 0 for none
    language: str = ""
    is_mark: bool = False


def next_step(report: str) -> NextStep:
    """Nothing where the report names none."""
    lines = list(_lines(clean(report)))
    for number, line in enumerate(lines):
        bold = None if line.fence else _IN_BOLD.match(line.text)
        if bold or (line.heading is not None and _NEXT_STEP.match(line.heading)):
            section = _until_heading(lines[number + 1 :])
            words = "\n".join([*([bold[1]] if bold else []), *(each.text for each in section if not each.fence)])
            return NextStep(words.strip(), _code_of(section) or _only_command(lines))
    return NextStep()


def _lines(report: str) -> Iterator[_Line]:
    fence, language, mark = 0, "", ""
    for text in report.split("\n"):
        opened = _FENCE.match(text)
        if mark:
            is_end = bool(opened and opened[1].startswith(mark) and not opened[2])
            yield _Line(text, fence=fence, language=language, is_mark=is_end)
            mark = "" if is_end else mark
        elif opened:
            fence, mark, language = fence + 1, opened[1], opened[2].lower()
            yield _Line(text, fence=fence, language=language, is_mark=True)
        else:
            heading = _HEADING.match(text)
            yield _Line(text, heading=heading[1] if heading else None)


def _until_heading(lines: Sequence[_Line]) -> list[_Line]:
    end = next((number for number, line in enumerate(lines) if line.heading is not None), len(lines))
    return list(lines[:end])


def _code_of(section: Sequence[_Line]) -> str:
    first = next((line.fence for line in section if line.fence), 0)
    return _code(section, first) if first else ""


def _only_command(report: Sequence[_Line]) -> str:
    """Of several it would be a guess which one mends it and which one only looked."""
    for_a_shell = {line.fence for line in report if line.fence and line.language in _SHELL}
    return _code(report, for_a_shell.pop()) if len(for_a_shell) == 1 else ""


def _code(lines: Sequence[_Line], fence: int) -> str:
    return "\n".join(line.text for line in lines if line.fence == fence and not line.is_mark).strip("\n")


def formatted(words: str, room: int) -> list[Block]:
    """Formatted where that fits; a table or link list that grows too much stands as it was written."""
    if not words.strip():
        return []
    blocks = markdown(words)
    fits = len(blocks) <= _MOST_BLOCKS and len(visible_text(blocks)) <= room
    return blocks if fits else plain_blocks(words)


def markdown(words: str) -> list[Block]:
    from bot.slack.markdown import markdown_blocks  # noqa: PLC0415  with its parser, which no start needs

    return markdown_blocks(words)
