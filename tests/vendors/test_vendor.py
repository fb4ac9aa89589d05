from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.secrets import Redactor, Secret
from monitor.vendors import Base, BaseIfAny, Limit, Vendor

BASE: TypeAdapter[str] = TypeAdapter(Base)
BASE_IF_ANY: TypeAdapter[str] = TypeAdapter(BaseIfAny)
VENDOR = Vendor("Example", Limit(1, timedelta(seconds=1)), keys=re.compile(r"\bxk_[\w*]+"))
REDACT = Redactor([Secret("hunter2-the-key")])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error": {"message": "No such price"}}, "No such price"),  # Stripe
        ({"message": "unauthorized", "code": 1}, "unauthorized"),  # Render, Neon
        ({"detail": "Invalid token"}, "Invalid token"),  # Sentry
        ({"errors": "Not Found"}, "Not Found"),  # Shopify
        ({"errors": [{"message": "Throttled"}]}, "Throttled"),
        ({"error": "invalid_client", "error_description": "is gone"}, "is gone"),
        ({"message": None, "error": ""}, ""),
        ({"error": {"error": {"error": {"error": "too deep"}}}}, ""),
        ({"errors": []}, ""),
        ("a text", "a text"),
        ({}, ""),
        (None, ""),
        (7, ""),
        ({"message": "key xk_live_****abcd, hunter2-the-key"}, "key •••, •••"),
        ({"message": "a\r\nb\x1b[31mc"}, "a bc"),
    ],
)
def test_what_an_error_says(document: Any, words: str) -> None:  # noqa: ANN401 - any JSON value
    """On one line, without a key, whole or half masked."""
    assert VENDOR.words(document, REDACT) == words


def test_the_point_of_a_long_message_is_enough() -> None:
    vendor = Vendor("Example", VENDOR.limit, VENDOR.keys, point=re.compile(r"Having the '\w+'"))
    text = f"The key {'x' * 300} may not. Having the 'read' permission would"
    assert vendor.words({"message": text}, REDACT) == "Having the 'read'"
    assert len(vendor.words({"message": "x" * 300}, REDACT)) == 160


@given(st.integers(0, 5_000))
def test_a_key_is_found_wherever_a_message_is_cut(before: int) -> None:
    assert "hunter2" not in VENDOR.words({"message": "x" * before + " hunter2-the-key"}, REDACT)


@pytest.mark.parametrize(
    "text", ["https://api.example.com", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
)
def test_an_address_for_a_key(text: str) -> None:
    assert BASE.validate_python(f"{text}/") == text
    assert BASE.validate_python(f"{text}/v1") == f"{text}/v1"


@pytest.mark.parametrize(
    "text",
    ["", "api.example.com", "http://api.example.com", "http://10.0.0.1", "https://u:p@h", "https://h?x=1", "https://h#x",
     "ftp://h", "https://[x"],
)  # fmt: skip
def test_no_address_for_a_key(text: str) -> None:
    """In the clear it goes to nobody but this machine."""
    with pytest.raises(ValidationError):
        BASE.validate_python(text)
    if text:
        with pytest.raises(ValidationError):
            BASE_IF_ANY.validate_python(text)


def test_an_address_that_may_be_left_out() -> None:
    assert BASE_IF_ANY.validate_python("") == ""
    assert BASE_IF_ANY.validate_python("https://api.example.com/") == "https://api.example.com"
