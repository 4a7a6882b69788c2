"""Markdown tables as aligned monospaced text, which every Slack client shows and no width breaks."""

import unicodedata
from collections.abc import Sequence

from markdown_it.rules_block.table import escapedSplit
from markdown_it.tree import SyntaxTreeNode

_WIDEST_COLUMN = 60
_WIDEST_TABLE = 160


def table_text(table: SyntaxTreeNode, lines: Sequence[str]) -> str:
    """Aligned where that is readable; as it was written where a row has more cells than the header or is too wide."""
    written = _as_written(table, lines)
    rows = [[_cell(cell) for cell in row.children] for part in table.children for row in part.children]
    if not rows or _loses_cells(written, len(rows[0])):
        return "\n".join(written)
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    if max(widths) > _WIDEST_COLUMN or sum(widths) > _WIDEST_TABLE:
        return "\n".join(" | ".join(row) for row in rows)
    aligned = [" | ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in [aligned[0], "-+-".join("-" * width for width in widths), *aligned[1:]])


def _as_written(table: SyntaxTreeNode, lines: Sequence[str]) -> list[str]:
    first, last = table.map or (0, 0)
    return [line.strip() for line in lines[first:last]]


def _loses_cells(written: Sequence[str], columns: int) -> bool:
    """The parser drops the cells beyond the header's."""
    return any(len(escapedSplit(line.strip().removeprefix("|").removesuffix("|"))) > columns for line in written)


def _cell(cell: SyntaxTreeNode) -> str:
    return " ".join(_words(cell).split())


def _words(node: SyntaxTreeNode) -> str:
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    inner = "".join(_words(child) for child in node.children) if node.children else node.content
    target = str(node.attrs.get("href") or node.attrs.get("src") or "")
    return f"{inner} ({target})" if target and target != inner else inner


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
