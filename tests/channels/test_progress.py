from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.channels.base import Delivered, Rejected, Retry, SendResult
from monitor.channels.progress import MOST_REMEMBERED, Progress
from monitor.model import Failure, Reason

RESULTS = st.sampled_from([Delivered(), Rejected("no"), Retry("later")])


@given(st.lists(st.lists(RESULTS, min_size=20, max_size=20), max_size=5), st.integers(0, 20))
async def test_nothing_is_sent_again_that_was_taken_and_in_the_end_all_is(
    rounds: list[list[SendResult]], count: int
) -> None:
    """Whatever the peer answers in which round."""
    parts = {f"n{number}": number for number in range(count)}
    progress, taken = Progress(), set[int]()
    tried: list[list[SendResult]] = [*rounds, [Delivered()] * 20]
    for results in tried:
        asked: list[SendResult] = []

        async def send(number: int, answers: list[SendResult] = results, asked: list[SendResult] = asked) -> SendResult:
            assert number not in taken
            asked.append(answers[number])
            if answers[number] == Delivered():
                taken.add(number)
            return answers[number]

        result = await progress.each(parts, send)
        assert result == next((one for one in (Retry("later"), Rejected("no")) if one in asked), Delivered())
        if result == Delivered():
            assert taken == set(parts.values())
            break


async def test_a_failure_of_transport_may_be_tried_again_and_cuts_no_other_off() -> None:
    taken = []

    async def send(number: int) -> SendResult:
        if number == 1:
            raise Failure(Reason.RESET, "hung up")
        taken.append(number)
        return Delivered()

    assert await Progress().each({"a": 0, "b": 1}, send) == Retry("hung up")
    assert taken == [0]


async def test_what_is_never_asked_for_again_is_forgotten_in_the_end() -> None:
    """Of a delivery that was rejected and given up, what was taken would else be remembered for ever."""
    progress = Progress()

    async def send(number: int) -> SendResult:
        return Rejected("no") if number == 0 else Delivered()

    assert await progress.each({f"n{number}": number for number in range(MOST_REMEMBERED + 500)}, send) == Rejected(
        "no"
    )
    assert await progress.each({"m1": 1}, send) == Delivered()
    assert len(progress._taken) == MOST_REMEMBERED
