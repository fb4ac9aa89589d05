"""Places in texts, and what fills them. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.model import Failure
from monitor.probes.flow.template import fill, fill_address, fill_text, only_place, places

VALUES: dict[str, str | int | float | bool] = {"a": "x/y?z", "n": 7, "yes": True}


def test_places_are_found_wherever_a_text_is() -> None:
    assert places({"a": ["{one}", 1, None, {"b": "x{two}y{one}"}], "{three}": "{{four}} { five } {Six}"}) == {
        "one",
        "two",
    }


def test_only_a_whole_place_is_one() -> None:
    assert [only_place(text) for text in ("{a}", "{{a}}", "x{a}", "{a}{b}", "")] == ["a", "", "", "", ""]


def test_a_whole_place_keeps_the_type() -> None:
    assert fill({"n": "{n}", "t": "{n}!", "l": ["{yes}", 1.5, None]}, VALUES) == {
        "n": 7,
        "t": "7!",
        "l": [True, 1.5, None],
    }


def test_doubled_braces_stay() -> None:
    assert fill_text('{{n}} {n} {"n": {yes}}', VALUES) == '{n} 7 {"n": true}'


def test_an_address_is_filled_within_its_parts() -> None:
    assert fill_address("/t/{a}?q={a}&n={n}", VALUES) == "/t/x%2Fy%3Fz?q=x%2Fy%3Fz&n=7"


@pytest.mark.parametrize("found", [".", ".."])
def test_an_address_is_not_led_out_of_its_path(found: str) -> None:
    with pytest.raises(Failure, match="would lead out of it"):
        fill_address("/t/{a}", {"a": found})
    assert fill_address("/t/x{a}", {"a": found}) == f"/t/x{found}"
    assert fill_address("/t/?q={a}", {"a": found}) == f"/t/?q={found}"


@given(found=st.text(max_size=30))
def test_nothing_that_is_found_changes_host_or_path_around_it(found: str) -> None:
    """Any text at all: it stays one part of the path, or one value of the query."""
    try:
        filled = URL(fill_address("https://shop.example/t/{a}/end?q={a}", {"a": found}), encoded=True)
    except Failure:
        assert found in {".", ".."}
        return
    except UnicodeEncodeError:
        return
    assert str(filled.origin()) == "https://shop.example"
    assert filled.raw_path.startswith("/t/")
    assert filled.raw_path.endswith("/end")
    assert filled.raw_path.count("/") == 3
    assert list(filled.query) == ["q"]
    assert filled.query["q"] == found
