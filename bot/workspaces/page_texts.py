"""The few pages a person sees while installing: what happened and what to do next. No script, no outside asset."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from bot.wording import APP

_STYLE = (
    "body{font:17px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1d1c1d;"
    "background:#fff}h1{font-size:1.5rem}a.button{display:inline-block;padding:.6rem 1.1rem;border-radius:.3rem;"
    "background:#4a154b;color:#fff;text-decoration:none}small{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#e8e8e8}small{color:#aaa}}"
)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    title: str
    text: str
    link: str = ""
    label: str = ""
    reference: str = ""

    @property
    def html(self) -> str:
        button = f'<p><a class="button" href="{escape(self.link)}">{escape(self.label)}</a></p>' if self.link else ""
        reference = f"<p><small>Reference: {escape(self.reference)}</small></p>" if self.reference else ""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
            f"<title>{escape(self.title)}</title><style>{_STYLE}</style></head><body><main>"
            f"<h1>{escape(self.title)}</h1><p>{escape(self.text)}</p>{button}{reference}</main></body></html>"
        )


def installed(name: str, link: str, *, org_wide: bool) -> Page:
    if org_wide:
        text = (
            f"{APP} is installed for the whole organization. Choose next in which workspaces it may work: in Slack's "
            "organization settings, under Integrations > Installed apps. You also get a message from it with the next step."
        )
    else:
        text = "You can close this page. In Slack there is a message from the app with the next step."
    title = f"{APP} is installed in {name}" if name else f"{APP} is installed"
    return Page(200, title, text, link, "Open in Slack")


def cancelled(again: str) -> Page:
    text = "You pressed Cancel, so nothing was installed and nothing is stored. You can start again any time."
    return Page(200, "Nothing was installed", text, again, "Start again")


def failed(problem: str, again: str, reference: str) -> Page:
    """The page for what `problem` names: a word of ours, or Slack's error code."""
    if problem in _EXPECTED:
        status, text = _EXPECTED[problem]
        return Page(status, "The install was not finished", text, again, "Start again")
    if problem in _OPERATOR:
        text = f"The bot is not set up right: {_OPERATOR[problem]} Tell the person who runs it; nothing was installed."
    else:
        text = (
            "Slack did not finish the install, and gave a reason we don't know. Start again; if it fails once more, "
            "tell the person who runs the bot."
        )
    return Page(502, "The install was not finished", text, again, "Start again", reference)


_OLD = "This install was begun more than ten minutes ago, or was finished already. Start again; it takes a minute."
_EXPECTED: Mapping[str, tuple[int, str]] = {
    "no_state": (400, _OLD),
    "invalid_code": (400, _OLD),
    "code_already_used": (400, _OLD),
    "other_browser": (
        400,
        "This install was begun in another browser or in a private window. Start again here, and allow cookies.",
    ),
    "incomplete": (400, "Slack's answer is missing from this address. Start again rather than opening an old link."),
    "unreachable": (502, "Slack did not answer just now, so nothing was installed. Wait a minute and start again."),
    "not_a_bot": (502, "Slack gave no bot token. Start again and leave the requested permissions as they are."),
    "invalid_team_for_non_distributed_app": (
        403,
        "The app is not shared with other workspaces: its owner has to activate distribution first.",
    ),
}
_OPERATOR: Mapping[str, str] = {
    "bad_redirect_uri": "the address in BITS_PUBLIC_URL is not among the app's redirect URLs.",
    "bad_client_secret": "Slack does not accept SLACK_CLIENT_SECRET.",
    "invalid_client_id": "Slack does not accept SLACK_CLIENT_ID.",
}
