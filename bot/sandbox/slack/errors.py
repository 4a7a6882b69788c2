"""How the local Slack says no: to the app over its API, and to a test about what a person would have met."""

from typing import Any


class ApiError(Exception):
    """An answer with `ok: false`; `more` are the members that go with it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more

    @classmethod
    def because(cls, error: str, messages: list[str]) -> "ApiError":
        """Slack's answer to malformed arguments: the reasons, with pointers."""
        metadata = {"messages": [f"[ERROR] {message}" for message in messages]}
        return cls(error, errors=messages, response_metadata=metadata)

    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.more}


class NotAcknowledged(Exception):  # noqa: N818 - named after what happened to the person
    """The app did not answer what a person did within three seconds, or answered what Slack does not understand.

    `reason` is Slack's word for it, as it stands in the marks of a retried event.
    """

    def __init__(self, message: str, reason: str = "unknown_error") -> None:
        super().__init__(message)
        self.reason = reason


class NotOnScreen(AssertionError):  # noqa: N818 - named after what happened to the person
    """Somebody wanted to use something that is not there."""


class NeverHappened(AssertionError):  # noqa: N818 - named after what happened to the test
    """What a test waited for did not happen in time; the message shows every channel as it stands."""
