from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import LONGEST_REASON, Channel, Delivered, Rejected, Retry, SendResult, deliver
from monitor.model import Failure, Reason
from monitor.secrets import Secret
from tests.channels.examples import delivery

if TYPE_CHECKING:
    from monitor.channels.base import Resources
    from monitor.model import Delivery

TOKEN = "hunter2hunter2"
Does = Callable[[], Awaitable[SendResult]]


class Scripted(Channel):
    """A channel that does what it is told."""

    kind: str = "scripted"
    does: Does
    address: Secret = Secret(f"https://user:pw%2F%40pw@example.com/x/{TOKEN}?a=1&key=k%2Fk-value")
    others: dict[str, Secret] = {"a": Secret("other-secret")}  # noqa: RUF012 - pydantic copies it
    broken: Secret = Secret("https://[::1/never")

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:  # noqa: ARG002 - scripted
        return await self.does()


def ends(result: SendResult) -> Does:
    async def does() -> SendResult:
        await asyncio.sleep(0)
        return result

    return does


def breaks(error: BaseException) -> Does:
    async def does() -> SendResult:
        await asyncio.sleep(0)
        raise error

    return does


@pytest.mark.parametrize("result", [Delivered(), Retry("busy", timedelta(seconds=3)), Rejected("no such thing")])
async def test_what_a_channel_says_is_what_comes_of_it(result: SendResult, resources: Resources) -> None:
    assert await deliver(Scripted(does=ends(result)), delivery(), resources) == result


async def test_a_reason_is_one_clean_line_without_a_secret(resources: Resources) -> None:
    said = (
        f"no\r\n\x1b[31m{TOKEN}, pw/@pw, pw%2F%40pw, k/k-value, other-secret, /x/{TOKEN}, [::1/never \u202e" + "x" * 999
    )
    result = await deliver(Scripted(does=ends(Rejected(said))), delivery(), resources)
    assert isinstance(result, Rejected)
    assert result.reason.startswith("no •••, •••, •••, •••, •••, •••")
    assert len(result.reason) == LONGEST_REASON
    assert result.reason.isprintable()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Failure(Reason.DNS, f"{TOKEN} has no address"), "••• has no address"),
        (ConnectionResetError(104, f"reset by {TOKEN}"), "ConnectionResetError: [Errno 104] reset by •••"),
        (TimeoutError(), "no answer within 10 s"),
        (KeyError(TOKEN), "the channel itself failed: KeyError"),
    ],
)
async def test_whatever_goes_wrong_may_be_tried_again(error: Exception, reason: str, resources: Resources) -> None:
    assert await deliver(Scripted(does=breaks(error)), delivery(), resources) == Retry(reason)


async def test_a_send_that_is_cancelled_is_cancelled(resources: Resources) -> None:
    """The end of the process must not look like an answer of the peer."""
    with pytest.raises(asyncio.CancelledError):
        await deliver(Scripted(does=breaks(asyncio.CancelledError())), delivery(), resources)


async def test_the_deadline_ends_a_send(resources: Resources) -> None:
    async def does() -> SendResult:
        await asyncio.sleep(60)
        return Delivered()

    result = await deliver(Scripted(does=does), delivery(), resources, timedelta(milliseconds=20))
    assert result == Retry("no answer within 0.02 s")
