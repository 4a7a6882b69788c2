"""Slack's v0 request signature."""

import hashlib
import hmac


def signed_headers(secret: str, body: str, now: float) -> dict[str, str]:
    timestamp = str(int(now))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}", "User-Agent": "Slackbot 1.0"}
