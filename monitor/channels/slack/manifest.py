"""The manifest of the Slack app that a channel needs: what it may do, and no more."""

from __future__ import annotations

from typing import Any

NAME = "Runbook monitor"
BOT_SCOPES = ("chat:write",)
APP_SCOPES = ("connections:write",)
"""Of the app-level token, which a manifest cannot hold: it is made by hand, under Basic Information."""


def manifest(name: str = NAME, *, buttons: bool = True) -> dict[str, Any]:
    """Return the manifest of an app called `name`, as JSON and YAML write it; `buttons`: with Socket Mode."""
    return {
        "display_information": {"name": name},
        "features": {"bot_user": {"display_name": name, "always_online": True}},
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "interactivity": {"is_enabled": buttons},
            "org_deploy_enabled": False,
            "socket_mode_enabled": buttons,
            "token_rotation_enabled": False,
        },
    }
