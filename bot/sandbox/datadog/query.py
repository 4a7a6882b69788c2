"""The search syntax that events and cases share: `key:value`, quotes, AND, OR, minus, brackets and `*`. Pure."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>\() | (?P<close>\))
    | (?P<minus>-(?=[\w@"(*]))
    | (?P<key>@?[\w.\-/]+):(?=\()
    | (?P<pair>@?[\w.\-/]+:(?:"(?:[^"\\]|\\.)*"|[^\s()]+))
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | (?P<word>[^\s()"]+)
    )""",
    re.VERBOSE,
)

Facet = Callable[[str, str], bool]
Text = Callable[[str], bool]
Matcher = Callable[[Facet, Text], bool]


class BadQuery(ValueError):  # noqa: N818 - it reads as what it is
    """The text is no query."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str


def _tokens(query: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while query[position:].strip():
        match = _TOKEN.match(query, position)
        if match is None or match.lastgroup is None:
            raise BadQuery(f"unexpected character at {position}")
        text = match.group(match.lastgroup)
        kind = text if match.lastgroup == "word" and text in {"AND", "OR", "NOT"} else match.lastgroup
        found.append(Token("minus" if kind == "NOT" else kind, text))
        position = match.end()
    return found


def same(pattern: str, value: str) -> bool:
    """Case does not matter, `*` stands for anything."""
    if "*" in pattern:
        return fnmatch.fnmatchcase(value.lower(), pattern.lower().replace("[", "[[]"))
    return pattern.lower() == value.lower()


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def parse(self) -> Matcher:
        matcher = self._either("")
        if self._peek() is not None:
            raise BadQuery("unbalanced brackets")
        return matcher

    def _peek(self) -> str | None:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else None

    def _next(self) -> Token:
        if self._at >= len(self._tokens):
            raise BadQuery("the query ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _either(self, key: str) -> Matcher:
        branches = [self._both(key)]
        while self._peek() == "OR":
            self._next()
            branches.append(self._both(key))
        return lambda facet, text: any(branch(facet, text) for branch in branches)

    def _both(self, key: str) -> Matcher:
        parts = [self._unary(key)]
        while self._peek() not in {None, "OR", "close"}:
            if self._peek() == "AND":
                self._next()
            parts.append(self._unary(key))
        return lambda facet, text: all(part(facet, text) for part in parts)

    def _unary(self, key: str) -> Matcher:
        if self._peek() == "minus":
            self._next()
            inner = self._unary(key)
            return lambda facet, text: not inner(facet, text)
        return self._atom(key)

    def _atom(self, key: str) -> Matcher:
        token = self._next()
        if token.kind == "open":
            return self._bracket(key)
        if token.kind == "key":
            self._next()
            return self._bracket(token.text)
        if token.kind == "pair":
            name, _, value = token.text.partition(":")
            quoted = len(value) > 1 and value.startswith('"') and value.endswith('"')
            return _facet(name, value[1:-1].replace('\\"', '"') if quoted else value)
        if token.kind in {"quoted", "word"}:
            value = token.text.replace('\\"', '"')
            return _facet(key, value) if key else (lambda _, text: text(value))
        raise BadQuery(f"unexpected {token.text!r}")

    def _bracket(self, key: str) -> Matcher:
        inner = self._either(key)
        if self._next().kind != "close":
            raise BadQuery("unbalanced brackets")
        return inner


def _facet(name: str, value: str) -> Matcher:
    return lambda facet, _: facet(name, value)


def parse(query: str) -> Matcher:
    """An empty query and `*` match everything."""
    if query.strip() in {"", "*"}:
        return lambda _facet, _text: True
    return _Parser(_tokens(query)).parse()
