"""The demo's name server answers one name, and nothing that it is sent makes it fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.demo.names import answer
from monitor.model import Failure
from monitor.network import Resolver
from tests.demo.stages import SECOND, watched

NAME, ADDRESS = "licences.example.com", "192.0.2.10"


async def test_it_knows_its_name_with_any_capitals_and_no_other() -> None:
    async with watched() as demo:
        resolver = Resolver([f"127.0.0.1:{demo.stage.environ['DEMO_NAMES_PORT']}"])
        assert list(await resolver.records("Licences.Example.com", "A", 3 * SECOND)) == [ADDRESS]
        with pytest.raises(Failure):
            await resolver.records("shop.example.com", "A", 3 * SECOND)
        with pytest.raises(Failure):
            await resolver.records(NAME, "AAAA", 3 * SECOND)
        await resolver.close()


@given(st.binary(max_size=80))
def test_whatever_comes_is_answered_or_left_alone(data: bytes) -> None:
    """An answer has the number of its question, and is not much longer."""
    said = answer(data, NAME, ADDRESS)
    assert said[:2] == data[:2] or not said
    assert len(said) <= len(data) + 16
