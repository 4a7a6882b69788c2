"""What to put into Datadog so that its webhook tells us everything a card needs. Held still: people have it in their Datadog."""

import json
import re

HEADER = "X-Bits-Webhook-Secret"
PATH = "/datadog/webhook"
ORG_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)  # what an organisation's id can look like

# every value in quotes: an empty variable would otherwise break the JSON
TEMPLATE: dict[str, int | str] = {
    "v": 1,
    "monitor_id": "$ALERT_ID",
    "event_id": "$ID",
    "event_ts_ms": "$DATE",
    "transition": "$ALERT_TRANSITION",
    "cycle": "$ALERT_CYCLE_KEY",
    "aggr": "$AGGREG_KEY",
    "priority": "$ALERT_PRIORITY",
    "title": "$EVENT_TITLE",
    "scope": "$ALERT_SCOPE",
    "condition": "$ALERT_STATUS",
    "tags": "$TAGS",
    "type": "$EVENT_TYPE",
    "link": "$LINK",
    "snapshot": "$SNAPSHOT",
    "org_id": "$ORG_ID",
    "hostname": "$HOSTNAME",
    "text": "$TEXT_ONLY_MSG",
}


def path_of(org: str) -> str:
    return f"{PATH}/{org}"


def instructions(public_url: str, org: str) -> str:
    """For the terminal: what goes where, in the order of Datadog's form."""
    ours = "" if public_url else "  (put this bot's own https address in place of bot.example.com)"
    return f"""\
In Datadog, open Integrations > Webhooks, add a webhook and fill in:

Name
bits-bot

URL
{public_url or "https://bot.example.com"}{path_of(org)}{ours}

Payload
{json.dumps(TEMPLATE, indent=2)}

Custom Headers (tick the box first)
{json.dumps({HEADER: "the value of BITS_WEBHOOK_SECRET"})}

Leave "Encode as form" off. Then send alerts there: write @webhook-bits-bot into a monitor's message, or, better,
name webhook-bits-bot as a recipient in a monitor notification rule. Which channel shows which alert is decided in Slack.
"""
