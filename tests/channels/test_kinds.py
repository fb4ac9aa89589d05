from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.channels import KINDS, kind_of_address, load_kind
from monitor.channels.base import Channel

SLACK = "https://hooks.slack.com/services/T0/B0/tokentoken"


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_a_channel_of_that_name_with_a_docstring_for_every_field(name: str) -> None:
    kind = load_kind(name)
    assert issubclass(kind, Channel)
    assert kind.model_fields["kind"].default == name
    assert all(found.description for field, found in kind.model_fields.items() if field != "kind")


def test_an_unknown_kind_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'slak' is not a kind of channel; there are slack, email, webhook"):
        load_kind("slak")


def test_importing_the_list_imports_no_kind() -> None:
    """A kind brings its libraries along: a file without it must not need them."""
    asked = (
        "import sys, monitor.channels; print([name for name in sys.modules if name.startswith('monitor.channels.')])"
    )
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        (SLACK, "slack", {"webhook_url": SLACK}),
        (f" {SLACK}\n", "slack", {"webhook_url": SLACK}),
        ("https://HOOKS.slack.com/x", "slack", {"webhook_url": "https://HOOKS.slack.com/x"}),
        ("https://hooks.slack-gov.com/x", "slack", {"webhook_url": "https://hooks.slack-gov.com/x"}),
        ("https://hooks.slack.com.evil.example/x", "webhook", {"url": "https://hooks.slack.com.evil.example/x"}),
        ("https://evil.example/hooks.slack.com", "webhook", {"url": "https://evil.example/hooks.slack.com"}),
        ("http://127.0.0.1:8080/hook", "webhook", {"url": "http://127.0.0.1:8080/hook"}),
        ("https://placeholder.invalid", "webhook", {"url": "https://placeholder.invalid"}),
        (
            "mailto:a@example.com, b@example.com?smtp=smtp://u:p%40ss@mail.example.com:25?starttls=never",
            "email",
            {
                "to": ["a@example.com", "b@example.com"],
                "smtp": "smtp://u:p%40ss@mail.example.com:25?starttls=never",
            },
        ),
    ],
)
def test_the_kind_follows_from_the_address(text: str, kind: str, fields: dict[str, Any]) -> None:
    assert kind_of_address(text) == (kind, fields)
    load_kind(kind)(**fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tokentoken",
        "ftp://tokentoken/x",
        "https://",
        "http://[::1/tokentoken",
        "mailto:a@example.com",
        "mailto:?smtp=x",
    ],
)
def test_a_wrong_address_is_an_error_that_does_not_repeat_it(text: str) -> None:
    with pytest.raises(ValueError, match="short form is its address") as caught:
        kind_of_address(text)
    assert "tokentoken" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("slack", {"webhook_url": "htps://hooks.slack.com/tokentoken"}),
        ("slack", {"webhook_url": "https://hooks.slack.com/token\ntoken"}),
        ("slack", {"webhook_url": "http://[::1/tokentoken"}),
        ("slack", {"webhook_url": SLACK, "mention": "everybody tokentoken"}),
        ("webhook", {"url": "tokentoken"}),
        ("webhook", {"url": "https://example.com/", "headers": {"X-A": "tokentoken\r\nX-B: 1"}}),
        ("webhook", {"url": "https://example.com/", "headers": {"X A": "tokentoken"}}),
        ("webhook", {"url": "https://example.com/", "headers": {"Content-Length": "tokentoken"}}),
        ("webhook", {"url": "https://example.com/", "bearer": "tokentoken\n"}),
        ("email", {"to": [], "smtp": "smtp://u:tokentoken@h"}),
        ("email", {"to": ["a@b.example"], "smtp": "http://u:tokentoken@h"}),
        ("email", {"to": ["a@b.example"], "smtp": "smtp://u:tokentoken@h:port"}),
        ("email", {"to": ["a@b.example"], "smtp": "smtp://u:tokentoken@h?starttls=maybe"}),
        ("email", {"to": ["a@b.example"], "smtp": "smtp://u:token/token@h"}),
        ("email", {"to": ["a@b.example\r\nBcc: tokentoken@b.example"], "smtp": "smtp://h"}),
        ("email", {"to": ["Tokentoken <a@b.example>"], "smtp": "smtp://h"}),
        ("email", {"to": ["tokentoken"], "smtp": "smtp://h"}),
    ],
)
def test_a_wrong_field_is_an_error_that_does_not_repeat_it(kind: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        load_kind(kind)(**fields)
    assert "token" not in str(caught.value).lower()
