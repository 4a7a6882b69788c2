"""Are an organisation's keys good, whose are they, and what may they read?"""

from bot.datadog.checkup import WRITES, KeyProblem, check_up
from bot.datadog.client import Datadog
from bot.doctor.findings import Finding, fail, ok, warn
from bot.orgs.model import OrgEntry

_GRANT = "Grant it in Datadog to the owner of the application key, and to the key itself if it is scoped"


async def check_org(entry: OrgEntry, client: Datadog) -> Finding:
    name = f"Datadog ({entry.name})"
    checkup = await check_up(client)
    if checkup.problem is not None:
        return fail(name, *_problem(checkup.problem, entry))
    who = f"acts as {checkup.owner_name}" if checkup.owner_name else "its owner can't be read"
    told = f"{entry.site.region}, {who}"
    if checkup.lacking:
        return warn(name, f"{told}; it may not: {', '.join(checkup.lacking)}", f"{_GRANT}.")
    if checkup.unclear:
        return warn(
            name, f"{told}; Datadog did not say about {', '.join(checkup.unclear)}", "Run this again in a minute."
        )
    return ok(name, f"{told}; may read all it needs. Whether it may write shows on use: {', '.join(WRITES)}")


def _problem(problem: KeyProblem, entry: OrgEntry) -> tuple[str, str]:
    site = f"{entry.site.region} ({entry.site.domain})"
    mend = "Correct DD_API_KEY, DD_APP_KEY or DD_SITE" if entry.from_settings else "Replace the keys in the bot's Home"
    match problem:
        case KeyProblem.API_KEY:
            return f"the API key is not known on {site}", f"{mend}."
        case KeyProblem.APP_KEY:
            return (
                f"the application key is not accepted on {site}",
                f"{mend}: it may be revoked or of another organisation.",
            )
        case KeyProblem.ESSENTIAL:
            return "the keys may not read investigations (bits_investigations_read)", f"{_GRANT}."
        case KeyProblem.BUSY:
            return "Datadog limits how often it may be asked now", "Run this again in a minute."
        case KeyProblem.NOT_REACHED:
            return f"{site} did not answer usefully", "Check the network from this machine, then Datadog's status page."


def not_readable(entry: OrgEntry) -> Finding:
    return fail(
        f"Datadog ({entry.name})",
        "its stored keys can't be opened",
        "Put the key that sealed them back into BITS_ENCRYPTION_KEYS, or replace the keys in the bot's Home.",
    )
