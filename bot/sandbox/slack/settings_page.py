"""The app's settings, taken from its manifest: what it listens to, which commands and shortcuts people find, its scopes."""

from typing import Any

from bot.sandbox.slack.world import App


def apply_manifest(app: App, manifest: dict[str, Any]) -> None:
    """From now on only what the manifest names is there."""
    features, settings = manifest.get("features", {}), manifest.get("settings", {})
    commands = features.get("slash_commands", [])
    app.commands = {entry["command"] for entry in commands}
    app.escapes_commands = any(entry.get("should_escape", False) for entry in commands)
    app.shortcuts = {entry["callback_id"]: entry["type"] for entry in features.get("shortcuts", [])}
    app.home_enabled = features.get("app_home", {}).get("home_tab_enabled", False)
    app.events = set(settings.get("event_subscriptions", {}).get("bot_events", []))
    app.rotates_tokens = settings.get("token_rotation_enabled", False)
    app.redirect_urls = list(manifest.get("oauth_config", {}).get("redirect_urls", []))


def manifest_scopes(manifest: dict[str, Any], *, optional: bool = True) -> set[str]:
    """The bot scopes it asks for; without `optional`, those an admin may not leave out."""
    scopes = manifest.get("oauth_config", {}).get("scopes", {})
    asked = set(scopes.get("bot", []))
    return asked if optional else asked - set(scopes.get("bot_optional", []))
