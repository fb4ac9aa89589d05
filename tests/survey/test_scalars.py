"""No text that somebody else wrote is anything but a text in the file."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from monitor.survey.scalars import clean, listed, mapping, remark, scalar, variable
from monitor.survey.written import system_text
from tests.survey.files import loaded, place, survey

ANY = st.text(st.characters(exclude_categories=()), max_size=80)


def read(text: str) -> Any:  # noqa: ANN401 - any value
    return YAML(typ="safe", pure=True).load(text)


@given(ANY)
@example("yes")
@example("- a: b # c")
@example("'\"\\")
@example("{}[],&*!|>%@`")
@example("1e3")
@example("?0")
@example("null")
@example("https://shop.example.com/a:b")
@example("\ufffe\U0001f600\ud800")
def test_a_text_is_that_text_in_a_block_in_braces_and_in_brackets(text: str) -> None:
    meant = clean(text, 2_000).replace("${", "$${")
    assert read(f"key: {scalar(text)}") == {"key": meant}
    assert read(mapping({"key": scalar(text), "other": "1"})) == {"key": meant, "other": 1}
    assert read(listed([scalar(text), scalar(text)])) == [meant, meant]


@given(st.one_of(st.booleans(), st.integers()))
def test_other_values_keep_their_type(value: int) -> None:
    found = read(f"[{scalar(value)}]")[0]
    assert (type(found), found) == (type(value), value)


@given(ANY, st.integers(0, 8))
def test_a_remark_is_nothing_but_a_remark(text: str, indent: int) -> None:
    lines = remark(text, indent)
    assert read("\n".join([*lines, "key: 1"])) == {"key": 1}
    assert all(line.startswith(f"{' ' * indent}# ") for line in lines)


@settings(max_examples=25)
@given(ANY)
@example("${HOME}")
@example("$${HOME:-x}")
@example("${")
@example("a\n  - b: c")
def test_whatever_a_page_is_called_so_is_the_system(title: str) -> None:
    """And no variable of ours gets into it."""
    found = survey(page=place(title=clean(title, 60)), notes=(title,), leads_to=title)
    config = loaded(system_text(found, "shop"), {"HOME": "hunter2"})
    assert config.systems["shop"].title == (clean(title, 60) or "shop.example.com")


def test_a_variable_is_one() -> None:
    assert read(variable("TOKEN")) == "${TOKEN}"
