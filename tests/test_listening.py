from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

import pytest
from pydantic import PrivateAttr
from structlog.testing import capture_logs

from monitor.channels.base import Channel, Resources
from monitor.channels.posting import open_session
from monitor.listening import FIRST_WAIT, LONGEST_WAIT, STEADY, Hearing, Listening
from monitor.model import Act, Deed, Failure, Reason, Scope
from monitor.network import Resolver, TlsContexts
from monitor.secrets import Redactor, Secret
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from monitor.channels.base import Ear, SendResult
    from monitor.model import Delivery

SECOND = timedelta(seconds=1)


async def nobody(act: Act) -> str:
    return str(act.id)


NOBODY = Hearing(nobody, lambda channel: {channel: ""}, lambda _: None)


class Talk(list[str]):
    """What became of the channels, in order, and how their listening ends, one after the other."""

    def __init__(self) -> None:
        self.ends: list[Exception | float | None] = []
        self.clock = FakeClock()


class Speaker(Channel):
    """A channel that listens as the test says."""

    kind: Literal["speaker"] = "speaker"
    word: str = ""
    token: Secret = Secret("hunter2hunter2")
    _talk: Talk = PrivateAttr(default_factory=Talk)
    _beside: tuple[str, ...] = PrivateAttr(default=())

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        raise AssertionError(delivery, resources)

    def among(self, channels: Mapping[str, Channel]) -> Self:
        found = self.model_copy()
        found._beside = tuple(channels)
        return found

    async def listen(self, name: str, ear: Ear, resources: Resources) -> None:
        assert ear.posted(name) == {name: ""}
        assert resources.redact("x") == "x"
        self._talk.append(f"{name} begins {self.word}".strip())
        end = self._talk.ends.pop(0) if self._talk.ends else 1e9
        try:
            if isinstance(end, float):
                await self._talk.clock.sleep_until(self._talk.clock.now() + end * SECOND)
                raise Failure(Reason.RESET, "it broke off")
        finally:
            self._talk.append(f"{name} ends")
        if end is not None:
            raise end


class Other(Speaker):
    """Another kind."""

    kind: Literal["other"] = "other"  # type: ignore[assignment]


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
async def resources() -> AsyncIterator[Resources]:
    resolver, tls = Resolver(), TlsContexts()
    async with open_session(resolver, tls) as session:
        yield Resources(session, resolver, tls, Redactor())
    await resolver.close()


@pytest.fixture
async def listening(talk: Talk) -> AsyncIterator[Listening]:
    made = Listening(talk.clock, NOBODY, lambda: 0.0)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def speaker(talk: Talk, kind: type[Speaker] = Speaker, **fields: Any) -> Speaker:  # noqa: ANN401 - of any field
    made = kind(**fields)
    made._talk = talk
    return made


async def test_each_channel_is_listened_to_until_the_end(
    listening: Listening, talk: Talk, resources: Resources
) -> None:
    listening.configure({"a": speaker(talk), "b": speaker(talk)}, resources)
    await talk.clock.advance(3_600 * SECOND)
    assert talk == ["a begins", "b begins"]


async def test_what_breaks_off_begins_anew_after_growing_waits(
    listening: Listening, talk: Talk, resources: Resources
) -> None:
    talk.ends = [0.0] * 20
    listening.configure({"a": speaker(talk)}, resources)
    began, waits = talk.clock.now(), []
    for wait in (2, 4, 8, 16, 32, 64, 120, 120):
        await talk.clock.advance((wait - 1) * SECOND)
        waits.append(talk.count("a begins"))
        await talk.clock.advance(SECOND)
    assert waits == [1, 2, 3, 4, 5, 6, 7, 8]
    assert talk.count("a begins") == 9
    assert talk.clock.now() - began == 366 * SECOND
    assert FIRST_WAIT / SECOND == 2
    assert LONGEST_WAIT / SECOND == 120


async def test_what_listened_for_long_begins_with_the_shortest_wait(
    listening: Listening, talk: Talk, resources: Resources
) -> None:
    talk.ends = [0.0, 0.0, 0.0, STEADY / SECOND]
    listening.configure({"a": speaker(talk)}, resources)
    await talk.clock.advance(14 * SECOND)
    assert talk.count("a begins") == 4
    await talk.clock.advance(STEADY)
    assert talk.count("a begins") == 4
    await talk.clock.advance(2 * SECOND)
    assert talk.count("a begins") == 5


@pytest.mark.parametrize(
    "error",
    [
        Failure(Reason.AUTH, "no entry for hunter2hunter2"),
        OSError("hunter2hunter2"),
        RuntimeError("hunter2hunter2"),
    ],
)
async def test_whatever_happens_to_one_disturbs_no_other_and_shows_no_secret(
    error: Exception, listening: Listening, talk: Talk, resources: Resources
) -> None:
    talk.ends = [error]
    with capture_logs() as logs:
        listening.configure({"a": speaker(talk), "b": speaker(talk)}, resources)
        await talk.clock.advance(2 * SECOND)
    assert talk == ["a begins", "a ends", "b begins", "a begins"]
    assert "channel_not_heard" in [entry["event"] for entry in logs]
    assert "hunter2" not in repr(logs)


async def test_a_kind_that_hears_nothing_is_left_alone(listening: Listening, talk: Talk, resources: Resources) -> None:
    talk.ends = [None]
    listening.configure({"a": speaker(talk)}, resources)
    await talk.clock.advance(3_600 * SECOND)
    assert talk == ["a begins", "a ends"]


async def test_what_changed_is_left_and_begun_as_it_is_now(
    listening: Listening, talk: Talk, resources: Resources
) -> None:
    """Another of its kind may share its connection, and is begun anew too; other kinds are not disturbed."""
    before = {"a": speaker(talk), "b": speaker(talk, word="b"), "c": speaker(talk, Other), "d": speaker(talk, Other)}
    listening.configure(before, resources)
    await talk.clock.settle()
    talk.clear()
    listening.configure({name: speaker(talk, type(one), word=one.word) for name, one in before.items()}, resources)
    await talk.clock.settle()
    assert talk == []
    after = {**before, "b": speaker(talk, word="x")}
    listening.configure(after, resources)
    await talk.clock.settle()
    assert sorted(talk) == ["a begins", "a ends", "b begins x", "b ends"]
    talk.clear()
    listening.configure({"c": after["c"]}, resources)
    await talk.clock.settle()
    assert sorted(talk) == ["a ends", "b ends", "c begins", "c ends", "d ends"]


async def test_a_channel_knows_those_beside_it(listening: Listening, talk: Talk, resources: Resources) -> None:
    listening.configure({"a": speaker(talk), "b": speaker(talk)}, resources)
    found = {name: channel for name, (_, channel, _) in listening._wanted.items()}
    assert [getattr(channel, "_beside", None) for channel in found.values()] == [("a", "b"), ("a", "b")]
    await talk.clock.settle()


async def test_in_the_end_nothing_is_listened_to(talk: Talk, resources: Resources) -> None:
    listening = Listening(talk.clock, NOBODY, lambda: 0.0)
    listening.configure({"a": speaker(talk)}, resources)
    running = asyncio.create_task(listening.run())
    await talk.clock.settle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert talk == ["a begins", "a ends"]


async def test_what_is_heard_goes_where_it_is_carried_out() -> None:
    act = Act("a1", START, Deed.ACKNOWLEDGE, "alice", Scope("shop"))
    assert await NOBODY.hear(act) == "a1"
    assert NOBODY.posted("ops") == {"ops": ""}
    assert NOBODY.about("incident") is None
