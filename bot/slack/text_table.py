"""Tables in a fixed width, for where Slack takes no table of its own: columns stay columns in a narrow pane, too."""

import unicodedata
from collections.abc import Sequence

WIDEST = (
    60  # characters that a window or a thread shows in one line; what is wider wraps, and no column is one any more
)

_BETWEEN = " | "

Rows = Sequence[Sequence[str]]


def text_table(rows: Rows, *, right: Sequence[bool] = (), widest: int = WIDEST) -> str:
    """Of rows of one length, the first the header. Long cells wrap inside their column, a word is never broken; where that
    is still too wide each row is told line by line. `right`: the columns that are aligned so."""
    widths = _widths(rows, widest - len(_BETWEEN) * (len(rows[0]) - 1))
    if widths is None:
        return _line_by_line(rows)
    aligned = [*right, *[False] * (len(widths) - len(right))]
    shown = [_row(row, widths, aligned) for row in rows]
    rule = "-+-".join("-" * width for width in widths)
    is_tall = any(len(lines) > 1 for lines in shown)
    told = [*shown[0], rule]
    for number, lines in enumerate(shown[1:]):
        told += [*([rule] if is_tall and number else []), *lines]
    return "\n".join(told)


def _widths(rows: Rows, room: int) -> list[int] | None:
    """The widest columns give way first, none below its longest word."""
    columns = list(zip(*rows, strict=True))
    widths = [min(max(map(width, column)), max(room, 1)) for column in columns]
    floors = [max((width(word) for cell in column for word in cell.split()), default=0) for column in columns]
    if sum(floors) > room:
        return None
    while sum(widths) > room:
        at = max((at for at, floor in enumerate(floors) if widths[at] > floor), key=lambda at: widths[at])
        widths[at] -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    cells = [_wrapped(cell, most) for cell, most in zip(row, widths, strict=True)]
    lines = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = [_padded(part, most, right=at) for part, most, at in zip(parts, widths, right, strict=True)]
        lines.append(_BETWEEN.join(padded).rstrip())
    return lines


def _padded(text: str, most: int, *, right: bool) -> str:
    room = " " * (most - width(text))
    return room + text if right else text + room


def _wrapped(cell: str, most: int) -> list[str]:
    lines = [""]
    for word in cell.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width(longer) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _line_by_line(rows: Rows) -> str:
    names = [name.rstrip(": ") for name in rows[0]]
    most = max(map(width, names))
    told = [
        "\n".join(
            f"{_padded(f'{name}:', most + 1, right=False)} {cell}".rstrip()
            for name, cell in zip(names, row, strict=True)
        )
        for row in rows[1:]
    ]
    return "\n\n".join(told or [_BETWEEN.join(rows[0])])


def width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
