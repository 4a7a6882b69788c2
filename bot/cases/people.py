"""From a Slack person to the Datadog user with the same e-mail address, for assignees."""

from bot.cases.ports import CaseOrg
from bot.cases.trouble import Trouble, Why, trouble_of
from bot.datadog.case_model import Person
from bot.datadog.errors import DatadogError


async def datadog_user(org: CaseOrg, email: str, *, about: str = "") -> Person | Trouble:
    """The user, or why there is none to be found."""
    if not email:
        return Trouble(Why.NO_EMAIL, about=about)
    try:
        person = await org.users.find_by_email(email)
    except DatadogError as error:
        return trouble_of(error)
    return person or Trouble(Why.NO_USER, about=about)
