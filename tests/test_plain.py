from __future__ import annotations

import unicodedata
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.plain import cut, plain, plain_lines, safe_links

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=200)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("", ""),
        (" a \t b\r\nc\x0bd\x85e\u2028f ", "a b c d e f"),
        ("\x1b[31;1mred\x1b[0m \x9b31mred", "red red"),
        ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\a\x1b(Bb\x1bcc", "abc"),
        ("\x1b]0;never ended", "0;never ended"),
        ("a\u200bb\u2060c\ufeffd\u00ade\u200df\u3164g", "abcdefg"),
        ("\u202eevil\u202c\u2066x\u2069", "evilx"),
        ("a\ud800b\udfff", "ab"),
        ("\U000e0041a\ufe0f", "a\ufe0f"),
        ("Größe שלום e\u0301 👍🏽", "Größe שלום e\u0301 👍🏽"),
        ("<!channel> `x` {{ y }} [red]", "<!channel> `x` {{ y }} [red]"),
    ],
)
def test_what_acts_or_hides_is_removed_and_the_rest_stays(text: str, cleaned: str) -> None:
    assert plain(text) == cleaned


@given(ANY_TEXT, st.integers(1, 50))
@example("\x1b\x1b[[31m", 10)
@example("\u200b \u200b", 10)
def test_cleaned_text_is_one_short_line_that_cannot_act_and_stays_as_it_is(text: str, longest: int) -> None:
    cleaned = plain(text, longest)
    assert len(cleaned) <= longest
    assert not {unicodedata.category(sign) for sign in cleaned} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert plain(cleaned, longest) == cleaned
    cleaned.encode()


@given(ANY_TEXT)
def test_lines_are_kept_and_each_is_clean(text: str) -> None:
    for line in plain_lines(text, 1_000).split("\n"):
        assert plain(line) == line.strip()


def test_indentation_is_kept_so_that_a_command_stays_readable() -> None:
    assert plain_lines("Run\n  make\tit\r\n\r\n            deep", 100) == "Run\n  make it\n        deep"


@pytest.mark.parametrize("text", ["\x1b]" * 500_000, "\x1b[" * 500_000, "\x9b" + "0" * 1_000_000, "a" * 10_000_000])
def test_a_huge_text_costs_little(text: str) -> None:
    began = process_time()
    plain(text)
    plain_lines(text, 1_000)
    assert process_time() - began < 2


def test_what_is_too_long_ends_in_an_ellipsis() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("ab cd", 4) == "ab…"


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://example.com/runbook#db", "https://example.com/runbook#db"),
        ("http://127.0.0.1:8080/x?a=1&b=ä", "http://127.0.0.1:8080/x?a=1&b=%C3%A4"),
        ("https://müller.example/", "https://xn--mller-kva.example/"),
        ("https://x.example/|y>z\"'", "https://x.example/%7Cy%3Ez%22'"),
        ("https://x.example/{{7*7}}`a`", "https://x.example/%7B%7B7*7%7D%7D%60a%60"),
    ],
)
def test_an_address_of_the_web_is_a_link(address: str, safe: str) -> None:
    assert safe_links([("Label", address)]) == (("Label", safe),)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "/relative",
        "//example.com",
        "https://",
        "https://user@example.com/",
        "https://bank.example:x@evil.example/",
        "https://x.example/\r\nBcc: e",
        "https://x.example/\u202e",
        "https://[::1/",
        "https://x.example/" + "a" * 3_000,
    ],
)
def test_anything_else_is_no_link(address: str) -> None:
    assert safe_links([("Label", address)]) == ()


def test_a_link_without_a_label_is_called_one() -> None:
    assert safe_links([("\u200b", "https://example.com/")]) == (("Link", "https://example.com/"),)
