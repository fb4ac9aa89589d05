"""What docs/channels.md tells a user to give the Slack app is what the product needs, and no more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from monitor.channels.slack import api, conversation
from monitor.channels.slack.manifest import APP_SCOPES, BOT_SCOPES, manifest
from monitor.config import load

PAGE = (Path(__file__).parents[2] / "docs/channels.md").read_text("utf-8")
SECTION = next(part for part in PAGE.split("\n## ") if part.startswith("slack\n"))
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)


def shown() -> dict[str, Any]:
    """Return the manifest that the page shows."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_page_shows_the_manifest() -> None:
    assert shown() == manifest()


def test_the_app_may_write_and_hear_presses_and_nothing_else() -> None:
    assert BOT_SCOPES == ("chat:write",)
    assert APP_SCOPES == ("connections:write",)
    assert manifest()["oauth_config"] == {"scopes": {"bot": ["chat:write"]}}
    assert all(scope in SECTION for scope in (*BOT_SCOPES, *APP_SCOPES))


def test_an_app_without_buttons_opens_no_socket() -> None:
    settings = manifest("Watch", buttons=False)["settings"]
    assert not settings["socket_mode_enabled"]
    assert not settings["interactivity"]["is_enabled"]
    assert manifest("Watch")["display_information"]["name"] == "Watch"


def test_what_is_called_needs_no_other_scope() -> None:
    """`auth.test` needs none, `chat.*` needs chat:write, the app-level token opens the connection."""
    folder = Path(api.__file__ or "").parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    called = set(re.findall(r'"((?:chat|auth|apps|conversations|users)\.[a-zA-Z.]+)"', text))
    assert called == {"chat.postMessage", "chat.update", "chat.postEphemeral", "auth.test", "apps.connections.open"}
    assert conversation.__doc__


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_are_taken(text: str, tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(f"{text}systems: {{shop: {{checks: {{site: 'https://shop.example.com/'}}}}}}\n", "utf-8")
    environ = {
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T00/B00/x",
        "SLACK_BOT_TOKEN": "xoxb-hunter2",
        "SLACK_APP_TOKEN": "xapp-hunter2",
    }
    assert list(load(path, environ).channels) == ["ops"]
    assert list(load(path, {}, placeholders=True).channels) == ["ops"]
