"""The one door for text we did not write: cleaned, cut and escaped here before it may stand in anything Slack parses.
Never trust a string that did not come through here, not even a monitor's name."""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from bot.datadog.links import is_datadog_url

ELLIPSIS = "…"
SECTION_LIMIT = 3_000
URL_LIMIT = 3_000

# Controls, soft hyphen, zero-width and direction marks, fillers, tag characters, lone surrogates: nothing a reader
# can see, and all that is needed to disguise a name or to break a JSON body.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]",
)
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_WHOLE = re.compile(r"<[^<>]*>|&(?:amp|lt|gt);|.", re.DOTALL)
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,30}\Z")
_SLACK_HOSTS = ("slack.com", "slack-gov.com")


def clean(text: str) -> str:
    """What a reader can see: line ends unified, controls and invisible characters gone."""
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, on a whole character, with … where something is missing. Cut before escaping."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    while end > 0 and _belongs_to_previous(text[end]):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _belongs_to_previous(character: str) -> bool:
    """Accents, variation selectors and skin tones: alone they show as rubbish."""
    return bool(unicodedata.combining(character)) or "\ufe00" <= character <= "\ufe0f" or "🏻" <= character <= "🏿"


def one_line(text: str, limit: int = 300) -> str:
    return cut(" ".join(clean(text).split()), limit)


def escape(text: str) -> str:
    """For mrkdwn and top-level text: only & < > matter there, and all three always."""
    return re.sub("[&<>]", lambda found: _ESCAPES[found[0]], clean(text))


def unescape(text: str) -> str:
    """What Slack meant: its three entities undone, once."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def fit_mrkdwn(text: str, limit: int = SECTION_LIMIT) -> str:
    """Escaped and never longer than `limit` after escaping, which can grow a text fivefold."""
    return cut_mrkdwn(escape(text), limit)


def cut_mrkdwn(mrkdwn: str, limit: int = SECTION_LIMIT) -> str:
    """Shortens what is already mrkdwn without ever halving an entity or a <token>."""
    if len(mrkdwn) <= limit:
        return mrkdwn
    kept: list[str] = []
    room = limit - len(ELLIPSIS)
    for piece in _WHOLE.findall(mrkdwn):
        if len(piece) > room:
            break
        kept.append(piece)
        room -= len(piece)
    return ("".join(kept).rstrip() + ELLIPSIS)[: max(limit, 0)]


def code(text: str, limit: int = 300) -> str:
    """A value as inline code; a backtick inside would end it early."""
    shown = one_line(text, limit).replace("`", "'")
    return f"`{escape(shown)}`" if shown else ""


def mention(user_id: str) -> str:
    return f"<@{user_id}>" if is_user(user_id) else escape(one_line(user_id, 80)) or "someone"


def is_user(user_id: str) -> bool:
    return _USER_ID.match(user_id) is not None


def channel_mention(channel_id: str) -> str:
    if is_direct(channel_id):
        return "this direct message"
    return f"<#{channel_id}>" if re.fullmatch(r"[CG][A-Z0-9]{2,30}", channel_id) else "this channel"


def is_direct(channel_id: str) -> bool:
    """A conversation of two people: as a channel, Slack would show it as a private one."""
    return re.fullmatch(r"D[A-Z0-9]{2,30}", channel_id) is not None


def link(url: str, label: str) -> str:
    """A link whose label may differ from its target, so only to hosts we know; any other URL is shown, not linked."""
    if not is_known_url(url):
        return code(url)
    target = escape(url).replace("|", "%7C")
    shown = escape(one_line(label, 200)) or escape(one_line(url, 200))
    return f"<{target}|{shown}>"


def named_link(url: str, name: str) -> str:
    """The same for a host we may not know: then the name stands beside a link that shows where it leads."""
    if is_known_url(url):
        return link(url, name)
    shown = f"<{escape(url)}>" if safe_url(url) else code(url)
    return f"{escape(one_line(name, 200))} {shown}".strip()


@lru_cache(256)  # one link is asked about several times on its way
def safe_url(url: str) -> str | None:
    """The host of an http(s) URL that shows where it leads: no user part, no odd characters; None for any other."""
    if not 0 < len(url) <= URL_LIMIT or re.search(r"[\s\\<>\"`|]|[^\x21-\x7e]", url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    return host if host and parts.scheme in {"http", "https"} and "@" not in parts.netloc else None


def is_known_url(url: str) -> bool:
    """Datadog's or Slack's own, over https: the only targets a label of ours may stand on."""
    host = safe_url(url)
    if host is None or not url.startswith("https://"):
        return False
    return is_datadog_url(url) or any(host == known or host.endswith(f".{known}") for known in _SLACK_HOSTS)


DAY_AND_TIME = "{date_short_pretty} at {time}"  # today, yesterday, or the date


def moment(timestamp: float, form: str = DAY_AND_TIME) -> str:
    """A time in the reader's own zone, with UTC for clients that can't tell."""
    return f"<!date^{int(timestamp)}^{form}|{utc(timestamp)}>"


def utc(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
