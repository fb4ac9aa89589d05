from __future__ import annotations

from datetime import timedelta

import pytest
from yarl import URL

from monitor.answer import Answer


def answer(body: bytes = b"", **headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(URL("http://shop.test/"), 200, named, body, truncated=False, took=timedelta())


def test_a_header_that_came_twice_is_joined() -> None:
    found = Answer(
        URL("http://shop.test/"), 200, (("a", "1"), ("b", "2"), ("a", "3")), b"", truncated=False, took=timedelta()
    )
    assert found.header("A") == "1, 3"
    assert found.header("c") is None


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/html", "Größe".encode(), "Größe"),
        ("text/html", b"\xef\xbb\xbfOK", "OK"),
        ("text/html; charset=ISO-8859-1", "Größe".encode("latin-1"), "Größe"),
        ("text/html; charset='windows-1252'", b"\x80", "€"),
        ("text/html; charset=unicode_escape", b"\\u0041", "\\u0041"),
        ("text/html; charset=punycode", b"abc", "abc"),
        ("text/html", b"\xff\xfeO", "\ufffd\ufffdO"),
        ("text/html; charset=latin-1", b"\x81", "\ufffd"),
    ],
)
def test_text_is_utf8_or_what_browsers_call_latin_1_and_never_fails(content_type: str, body: bytes, text: str) -> None:
    assert answer(body, content_type=content_type).text == text


@pytest.mark.parametrize(("value", "media_type"), [("Text/HTML; charset=x", "text/html"), ("", ""), (None, "")])
def test_the_media_type_has_no_parameters(value: str | None, media_type: str) -> None:
    found = answer() if value is None else answer(content_type=value)
    assert found.media_type == media_type
