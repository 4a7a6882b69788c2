"""URLs taken apart with suspicion, and pasted text split into URLs and words. Knows no insight type, makes no calls."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

# Where a query says when somebody looked or where they came from, and not what they looked at.
_NOISE = re.compile(
    r"link_\w+|utm_\w+|from_ts|to_ts|live|fromUser|refresh_mode|paused"
    r"|fullscreen_(?:start_ts|end_ts|paused|refresh_mode|section)",
)
_NOISE_WHEN_A_TIME = frozenset({"start", "end", "from", "to"})
_TIME = re.compile(r"-?\d{9,17}")
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?(?::[0-9]{{1,5}})?")
# What has a meaning in the texts around URLs is encoded, so that a ref is read back as it was written.
_SAFE_IN_URL = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"<>\\^`{|}')


@dataclass(frozen=True, slots=True)
class Address:
    """An https URL whose host (with its port, if unusual) is beyond doubt. Parameters are kept undecoded."""

    host: str
    path: str
    parameters: tuple[str, ...]
    fragment: str

    def values(self, *names: str) -> Iterator[str]:
        """The decoded values of these parameters, the first named first."""
        for name in names:
            for parameter in self.parameters:
                key, _, value = parameter.partition("=")
                if unquote(key) == name and value:
                    # A plus is part of a base64 id here, so it isn't read as a space.
                    yield unquote(value)

    def value(self, *names: str) -> str:
        return next(self.values(*names), "")

    @property
    def ref(self) -> str:
        return self.ref_without()

    def ref_without(self, *names: str, path: str = "") -> str:
        """Path and query inside the app; tracking, time and the parameters named here left out."""
        kept = [parameter for parameter in self.parameters if not _is_noise(parameter, names)]
        return (path or self.path) + ("?" + "&".join(kept) if kept else "")


def _is_noise(parameter: str, names: tuple[str, ...]) -> bool:
    key, _, value = parameter.partition("=")
    name = unquote(key)
    if not parameter or name in names or _NOISE.fullmatch(name):
        return True
    return name in _NOISE_WHEN_A_TIME and _TIME.fullmatch(value) is not None


def open_url(url: str) -> Address | None:
    """The parts of an https URL; None where two readers could disagree about its host."""
    if "\\" in url or any(character <= " " or character == "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = parts.netloc.lower().removesuffix(":443")
    if parts.scheme.lower() != "https" or not _HOST.fullmatch(host):
        return None
    return _address(host.removesuffix("."), parts)


def _address(host: str, parts: SplitResult) -> Address:
    path = _percent(re.sub(r"/{2,}", "/", parts.path)) or "/"
    query = [_percent(parameter) for parameter in parts.query.split("&")]
    return Address(
        host, path.rstrip("/") or "/", tuple(parameter for parameter in query if parameter), _percent(parts.fragment)
    )


def _percent(text: str) -> str:
    return quote(text, safe=_SAFE_IN_URL, errors="surrogatepass")


@dataclass(frozen=True, slots=True)
class Pasted:
    """One piece of pasted text: a URL, or the words that stood between two."""

    text: str
    is_url: bool


_UNSEEN = "\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_IN_URL = rf"[^\s<>\"\x00-\x1f\x7f{_UNSEEN}]"
# Slack's <url|label>; a URL, which ends where a second one is glued to it (but not where it carries one as a value or
# in its path); and a URL copied without its scheme.
_LINK = re.compile(
    r"<(?P<wrapped>https?://[^<>|\s]*)(?:\|[^<>]*)?>"
    rf"|(?P<plain>https?://(?:(?!(?<![=/:?#&%])https?://){_IN_URL})*)"
    rf"|(?<![\w@./-])(?P<bare>(?:[a-z0-9-]{{1,63}}\.){{1,5}}(?:com|eu|org)/{_IN_URL}*)",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?'*~`|\u2026\u201d\u2019\u00bb"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_FILLER = " -\u2013\u2014\u2022*.,;:|()[]{}<>\"'`\u200b\u200c\u200d\u200e\u200f\ufeff"


def split_pasted(text: str) -> Iterator[Pasted]:
    """Every URL and every stretch of words, in the order pasted; punctuation around URLs is dropped."""
    unescaped = _unescape(text)
    position = 0
    for start, end, url in _found_urls(unescaped):
        yield from _words(unescaped[position:start])
        yield Pasted(url, is_url=True)
        position = end
    yield from _words(unescaped[position:])


def _unescape(text: str) -> str:
    """Slack's three entities, also when escaped twice; no others, since `&para=` is a parameter and no ¶."""
    return re.sub(r"&(?:amp;)+", "&", text).replace("&lt;", "<").replace("&gt;", ">")


def _found_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _LINK.finditer(text):
        if wrapped := match["wrapped"]:
            yield match.start(), match.end(), wrapped
        else:
            url = _trimmed(match[0])
            yield match.start(), match.start() + len(url), f"https://{url}" if match["bare"] else url


def _trimmed(url: str) -> str:
    """Without the sentence's punctuation, and without a bracket that was opened before the URL."""
    while url:
        last = url[-1]
        if (
            last in _TRAILING
            or last in _BRACKETS.values()
            or (last in _BRACKETS and url.count(last) > url.count(_BRACKETS[last]))
        ):
            url = url[:-1]
        else:
            break
    return url


def _words(text: str) -> Iterator[Pasted]:
    words = " ".join(text.split()).strip(_FILLER)
    if words.strip(_FILLER + _TRAILING):
        yield Pasted(words, is_url=False)
