"""On-Call: paging a team. Datadog offers no call that lists pages."""

from bot.sandbox.datadog import checks
from bot.sandbox.datadog.answers import Answer, Refusal, problem
from bot.sandbox.datadog.api.call import Call, Route
from bot.sandbox.datadog.org import FakePage

_TARGETS = ("team_id", "team_handle", "user_id")
_NEW = checks.resource(
    "pages",
    checks.record(
        {
            "target": checks.record({}, {"identifier": checks.filled, "type": checks.one_of(*_TARGETS)}),
            "title": checks.filled,
            "urgency": checks.one_of("low", "high"),
        },
        {"description": checks.text, "tags": checks.many(checks.text)},
    ),
)


def page(call: Call) -> Answer:
    _NEW(call.body, "")
    asked = call.body["data"]["attributes"]
    target = asked["target"]
    if target.get("type") != "team_handle" or target.get("identifier") not in call.org.on_call_teams:
        raise Refusal(problem(404, "Not Found", "no on-call team of that name"))
    paged = FakePage(
        call.world.new_id(), target["identifier"], asked["title"], asked["urgency"], asked.get("description", "")
    )
    call.org.pages.append(paged)
    call.world.happened("page", call.org, paged)
    return Answer({"data": {"id": paged.id, "type": "pages"}})


ROUTES = (Route("POST", "/api/v2/on-call/pages", page, ("on_call_page",), "on_call", body=True),)
