"""Slack's error codes, told to the person whose click could not be answered in the channel: what happened, what to do."""

import re

from bot.slack.text import code
from bot.wording import APP

_INVITE = "invite"
_SENTENCES = {
    "not_in_channel": "I'm not in {channel}, so I can't post there. {invite}",
    "channel_not_found": (
        "I can't see {channel}: it is private and I'm not a member, or it belongs to another organisation. {invite}"
    ),
    "is_archived": "{channel} is archived, so nobody can post there. Unarchive it, or ask in another channel.",
    "restricted_action": (
        "Posting in {channel} is restricted by your workspace's rules. Ask a workspace admin to let {bot} post there."
    ),
    "restricted_action_read_only_channel": (
        "{channel} is read-only for {bot}. Ask a channel manager to let me post, or ask in another channel."
    ),
    "restricted_action_thread_only_channel": (
        "{channel} only allows posts in threads. Start from a message there, with its shortcut."
    ),
    "restricted_action_non_threadable_channel": "{channel} does not allow threads. Ask in another channel.",
    "restricted_action_thread_locked": "That thread is locked. Ask a channel manager to unlock it, or start elsewhere.",
    "cannot_reply_to_message": "Slack allows no replies to that message. Ask in the channel, or on another message.",
    "thread_not_found": "That message is gone, so I can't answer in its thread. Ask in the channel.",
    "message_not_found": "That message is gone. Ask again in the channel.",
    "message_limit_exceeded": "Your workspace has reached Slack's limit of messages. A workspace admin can raise it.",
    "ekm_access_denied": "Your organisation's key management forbids posting in {channel} for now. Ask a Slack admin.",
    "team_access_not_granted": "{bot} is not allowed in this workspace. Ask a Slack org admin to add it.",
    "missing_scope": "I lack a Slack permission{needed}. Ask whoever installed {bot} to install it again.",
    "no_permission": "I lack a Slack permission{needed}. Ask whoever installed {bot} to install it again.",
    "account_inactive": "{bot} was removed from this workspace. Ask a workspace admin to install it again.",
    "token_revoked": "{bot}'s access was revoked. Ask a workspace admin to install it again.",
    "token_expired": "{bot}'s access has run out. Ask whoever runs it to connect Slack again.",
    "invalid_auth": "Slack does not accept my token. Ask whoever runs {bot} to check it.",
    "not_authed": "Slack does not accept my token. Ask whoever runs {bot} to check it.",
    "user_not_in_channel": "You are not in {channel}, so I can't answer you there. Join it and try again.",
    "ratelimited": "Slack asks me to slow down. I keep trying; nothing to do for you.",
    "rate_limited": "Slack asks me to slow down. I keep trying; nothing to do for you.",
}
_FAMILIES = (("restricted_action", "restricted_action"),)
_UNKNOWN = "Slack did not let me post in {channel} ({code}). Ask whoever runs {bot}, and quote that word."


def posting_sentence(error: str, *, channel: str, bot: str = APP, needed: str = "") -> str:
    """`channel` is mrkdwn already; `needed` is the scope Slack names with missing_scope."""
    family = next((known for prefix, known in _FAMILIES if error.startswith(prefix)), "")
    template = _SENTENCES.get(error) or _SENTENCES.get(family) or _UNKNOWN
    handle = re.sub(r"[^\w .-]", "", bot).strip() or APP
    return template.format(
        channel=channel,
        bot=handle,
        invite=f"Type `/invite @{handle}` there, then try again.",
        needed=f" ({code(needed, 100)})" if needed else "",
        code=code(error, 80),
    )
