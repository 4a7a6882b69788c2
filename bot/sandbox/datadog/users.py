"""Users of an organisation, and the three ways Datadog writes them. Plain data and its JSON."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.datadog import times

_CREATED = 1_600_000_000.0


@dataclass(frozen=True, slots=True)
class FakeUser:
    id: str
    name: str
    email: str
    service_account: bool = False
    status: str = "Active"

    @property
    def handle(self) -> str:
        return self.id if self.service_account else self.email.lower()

    def json(self, org_uuid: str) -> dict[str, Any]:
        """As the users API has it: type `users`."""
        attributes: dict[str, Any] = {
            "name": self.name or None,
            "handle": self.handle,
            "created_at": times.offset(_CREATED),
            "modified_at": times.offset(_CREATED),
            "email": self.email,
            "icon": "https://secure.gravatar.com/avatar/0?s=48&d=retro",
            "title": None,
            "verified": True,
            "service_account": self.service_account,
            "disabled": self.status == "Disabled",
            "allowed_login_methods": [],
            "status": self.status,
        }
        relationships = {"roles": {"data": []}, "org": {"data": {"type": "orgs", "id": org_uuid}}}
        return {"type": "users", "id": self.id, "attributes": attributes, "relationships": relationships}

    def included(self) -> dict[str, Any]:
        """As cases include it: type `user`."""
        attributes = {
            "active": self.status == "Active",
            "email": self.email,
            "handle": self.handle,
            "name": self.name,
        }
        return {"id": self.id, "type": "user", "attributes": attributes}

    def author(self) -> dict[str, Any]:
        content = {
            "ID": self.id,
            "name": self.name,
            "email": self.email,
            "handle": self.handle,
            "active": self.status == "Active",
        }
        return {"type": "USER", "content": content}
