"""Answers to a call, among them Datadog's several shapes of refusal. No state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any
JSON = "application/json"
JSON_API = "application/vnd.api+json"


@dataclass(frozen=True, slots=True)
class Answer:
    body: Json = None
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        if self.body is None:
            return ""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


class Refusal(Exception):  # noqa: N818 - it is an answer, not an accident
    """Ends a call with an answer other than success."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.text}")
        self.answer = answer


# --- the four shapes of refusal -------------------------------------------------------------------------------------


def problem(status: int, title: str, detail: str = "", **more: Json) -> Answer:
    """Shape 1, a JSON:API error object; any member may be missing."""
    error: dict[str, Json] = {"status": str(status), "title": title}
    if detail:
        error["detail"] = detail
    return Answer({"errors": [error | more]}, status, JSON_API)


def strings(status: int, *texts: str) -> Answer:
    """Shape 2, a list of strings."""
    return Answer({"errors": list(texts)}, status)


def edge(status: int, text: str) -> Answer:
    """Shape 3, what the layer before the services answers."""
    return Answer(
        {
            "status": "error",
            "code": status,
            "errors": [text],
            "statuspage": "http://status.datadoghq.com",
            "twitter": "http://twitter.com/datadogops",
            "email": "support@datadoghq.com",
        },
        status,
    )


def page(status: int, title: str) -> Answer:
    """Shape 4, a proxy's HTML."""
    html = f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1>"
    return Answer(f"{html}</center>\r\n</body>\r\n</html>\r\n", status, "text/html")


def bad_request(detail: str = "", title: str = "Bad Request", **more: Json) -> Refusal:
    return Refusal(problem(400, title, detail, **more))


def missing(title: str) -> Refusal:
    """The recorded 404 of most v2 services: a code and a title, no status, no detail."""
    answer = {"errors": [{"code": "resource_not_found", "title": title}]}
    return Refusal(Answer(answer, 404, JSON_API))


def usual(status: int) -> Answer:
    """What Datadog most often sends with this status, for faults that name a status only."""
    known = {
        400: problem(400, "Bad Request"),
        401: strings(401, "Unauthorized"),
        403: strings(403, "Forbidden", "Failed permission authorization checks"),
        404: problem(404, "Not Found"),
        409: problem(409, "Conflict"),
        429: strings(429, "Rate limit of 10 requests in 60 seconds reached. Please try again later."),
        500: problem(500, "Internal Server Error"),
        502: page(502, "Bad Gateway"),
        503: page(503, "Service Temporarily Unavailable"),
        504: page(504, "Gateway Time-out"),
    }
    return known.get(status) or problem(status, "Error")
