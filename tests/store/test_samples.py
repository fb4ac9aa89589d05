"""How samples are kept: eight bytes a value, names and labels once."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Measure
from monitor.store.samples import MOST_KNOWN, Layouts, pack, read_layout, unpack
from tests.fakes import START
from tests.store import values
from tests.store.values import SECOND, SITE, sample

IDS = {SITE: 7}
DAYS = 86_400 * SECOND


@given(numbers=st.lists(values.numbers))
def test_values_are_kept_to_the_bit(numbers: list[float]) -> None:
    packed = pack(numbers)
    assert len(packed) == 8 * len(numbers)
    assert pack(unpack(packed)) == packed
    assert [math.copysign(1, number) for number in unpack(packed)] == [math.copysign(1, number) for number in numbers]


def test_a_layout_is_new_once_a_day_and_only_until_it_is_durable() -> None:
    layouts = Layouts()
    rows, new = layouts.rows([sample(START), sample(START + SECOND, 2.0), sample(START + DAYS)], IDS)
    assert len(new) == 2
    assert rows[0][6] == rows[1][6] != rows[2][6]
    assert {row[6] for row in rows} == {row[0] for row in new.values()}
    again, still_new = layouts.rows([sample(START)], IDS)
    assert (again, list(still_new)) == (rows[:1], list(new)[:1])
    layouts.learn(new)
    assert layouts.rows([sample(START), sample(START + DAYS)], IDS) == ([rows[0], rows[2]], {})
    layouts.forget()
    assert layouts.rows([sample(START), sample(START + DAYS)], IDS)[1] == new


def test_the_number_of_a_layout_follows_from_what_it_says() -> None:
    """So two processes give the same one the same number, and two that differ differ."""
    one, two = (Layouts().rows([sample(START)], IDS) for _ in range(2))
    assert one == two
    (row,) = one[1].values()
    assert -(2**63) <= row[0] < 2**63
    assert read_layout(row[2]) == (("duration", ()),)


def test_layouts_that_never_come_again_fill_no_memory() -> None:
    layouts = Layouts()
    for number in range(0, MOST_KNOWN + 2, 2):
        measures = (Measure(f"m{number}", 1.0), Measure(f"m{number + 1}", 1.0))
        made = [replace(sample(), measures=(measure,)) for measure in measures]
        layouts.learn(layouts.rows(made, IDS)[1])
        assert len(layouts._known) <= MOST_KNOWN
    assert len(layouts._known) == 2
