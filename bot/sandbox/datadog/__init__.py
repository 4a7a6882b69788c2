"""A local Datadog, strict and faithful: Bits investigations, monitors, events, cases. It leans on nothing of ours.

Each part leans on those before it only: `org` with all that lives in it, and the `world` of all of them; `faults` and the `journal`;
`api` is what is answered: `api.server` listens, breaks what is to break and writes the journal, `api.fake` is all of it for a story
or a test.
"""

from bot.sandbox.datadog import samples
from bot.sandbox.datadog.alerts import FakeAlert, FakeMonitor
from bot.sandbox.datadog.api.fake import FakeDatadog
from bot.sandbox.datadog.case_model import CHANGE_REQUEST, SECURITY, STANDARD, FakeCase, FakeCaseType, FakeProject
from bot.sandbox.datadog.faults import Fault
from bot.sandbox.datadog.investigations import FakeInvestigation, Script
from bot.sandbox.datadog.journal import Effect, Seen
from bot.sandbox.datadog.org import FakeIncident, FakeOrg
from bot.sandbox.datadog.samples import FakeConclusion
from bot.sandbox.datadog.users import FakeUser
from bot.sandbox.datadog.webhooks import Delivery

__all__ = [
    "CHANGE_REQUEST",
    "SECURITY",
    "STANDARD",
    "Delivery",
    "Effect",
    "FakeAlert",
    "FakeCase",
    "FakeCaseType",
    "FakeConclusion",
    "FakeDatadog",
    "FakeIncident",
    "FakeInvestigation",
    "FakeMonitor",
    "FakeOrg",
    "FakeProject",
    "FakeUser",
    "Fault",
    "Script",
    "Seen",
    "samples",
]
