from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from monitor.probes.pattern import Pattern

anything = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    pattern: Pattern


@given(text=anything.filter(bool), before=anything, after=anything)
def test_plain_text_is_found_wherever_it_stands(text: str, before: str, after: str) -> None:
    if not (len(text) > 2 and text[0] == text[-1] == "/"):
        assert Pattern(text).within(before + text + after)


@given(text=anything.filter(lambda text: text and "*" not in text and text[0] != "/"), other=anything)
def test_plain_text_fits_itself_alone(text: str, other: str) -> None:
    assert Pattern(text).fits(text)
    assert not Pattern(text).fits(text + "x" + other)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*.onrender.com", "shop.onrender.com", True),
        ("*.OnRender.com", "shop.onrender.com", True),
        ("*.onrender.com", "a.b.onrender.com", True),
        ("*.onrender.com", "onrender.com", False),
        ("*.onrender.com", "shop.onrender.com.evil.test", False),
        ("*.onrender.com", "shop-onrender.com", False),
        ("*.onrender.com", "shop.onrender.com\n", False),
        ("v=spf1*", "v=spf1 -all\n", True),
        ("/^shop-[0-9]+$/", "shop-12", True),
        ("/^shop-[0-9]+$/", "Shop-12", False),
        ("/12/", "shop-12", True),
        ("/", "/", True),
        ("//", "//", True),
    ],
)
def test_a_glob_and_an_expression(pattern: str, text: str, *, fits: bool) -> None:
    assert Pattern(pattern).fits(text) is fits


@pytest.mark.parametrize("text", ["/(/", "/a{9999}/", "/(a)\\1/"])
def test_a_bad_expression_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a regular expression as RE2 reads them: \w+") as raised:
        Holder.model_validate({"pattern": text})
    assert repr(text.strip("/")) in str(raised.value)


def test_an_expression_that_ruins_others_is_harmless() -> None:
    started = process_time()
    assert not Pattern("/(a+)+$/").within("a" * 50_000 + "!")
    assert process_time() - started < 1


def test_it_compares_prints_and_dumps_as_its_text() -> None:
    assert Pattern("a") == Pattern("a")
    assert Pattern("a") != Pattern("b")
    assert hash(Pattern("a")) == hash(Pattern("a"))
    assert repr(Pattern("*.a")) == "*.a"
    assert Holder(pattern=Pattern("a")).model_dump() == {"pattern": "a"}
    assert Holder.model_json_schema()["properties"]["pattern"]["type"] == "string"
    with pytest.raises(ValueError, match="at least 1 character"):
        Holder.model_validate({"pattern": ""})
