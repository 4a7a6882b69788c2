"""What an organisation has set up for its alerts to go elsewhere: webhooks, their variables, and the rules that name them."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class FakeWebhook:
    name: str
    url: str
    payload: str | None = None
    custom_headers: str | None = None
    encode_as: str = "json"


@dataclass(slots=True, eq=False)
class FakeVariable:
    name: str
    value: str
    is_secret: bool


@dataclass(slots=True, eq=False)
class FakeRule:
    """Sends each notification that carries all of its tags to its recipients."""

    id: str
    name: str
    tags: tuple[str, ...]
    recipients: tuple[str, ...]
    created: float
    modified: float
