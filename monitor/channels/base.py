"""What every kind of channel shares: its fields, what a send may use, and the one place of deadline and failure."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self
from urllib.parse import unquote, urlsplit

import structlog
from pydantic import BaseModel, ConfigDict, Field

from monitor.clock import SystemClock
from monitor.fields import Fields, PositiveDuration
from monitor.model import Failure
from monitor.plain import plain
from monitor.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    import aiohttp

    from monitor.clock import Clock
    from monitor.model import Act, Delivery, Notification, Severity
    from monitor.network import Resolver, TlsContexts
    from monitor.permission import Permission

log = structlog.get_logger()

DEADLINE = timedelta(seconds=10)
LONGEST_REASON = 300
SHORTEST_TOKEN = 8
"""Parts of a secret address that are shorter say nothing, and may well be common words."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The channel accepted the message. `posted`: where it stands there, by incident, if it can be changed later."""

    posted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """The channel did not accept the message now. `after`: the wait it asked for, if it asked."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The channel will never accept this message: sending it again would not help."""

    reason: str


SendResult = Delivered | Retry | Rejected


@dataclass(frozen=True, slots=True)
class Resources:
    """What channels share: made once at start by `app`. The session is one of `posting.open_session`."""

    session: aiohttp.ClientSession
    resolver: Resolver
    tls: TlsContexts
    redact: Redactor
    clock: Clock = field(default_factory=SystemClock)


class Ear(Protocol):
    """Who listens to what people say in a channel."""

    async def hear(self, act: Act) -> str:
        """Carry `act` out, or see to it that it will be; return a sentence for whoever did it."""
        ...

    def posted(self, channel: str) -> Mapping[str, str]:
        """Return the references of the messages in `channel` about incidents that still go on, by incident."""
        ...

    def about(self, incident: str) -> Notification | None:
        """Return a message that says how `incident` stands now, never owed to anybody; None: it is over."""
        ...


class MessageLimit(Fields):
    """At most so many messages in a while."""

    messages: Annotated[int, Field(ge=1)] = 10
    """How many."""
    per: PositiveDuration = timedelta(minutes=5)
    """In which time."""


class Channel(BaseModel, ABC):
    """The fields that every kind of channel has. A kind adds its own and implements `send`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    kind: str
    if_set: str = ""
    """An environment variable; where it is not set, the channel is skipped and listed as skipped."""
    fallback: str = ""
    """The channel that gets a critical message which this one has not accepted within a minute."""
    rings: bool = False
    """Whether a critical message here wakes somebody (a phone); `validate` doubts a critical that rings nothing."""

    limit: MessageLimit = MessageLimit()
    """How many messages it may get: what comes beyond waits, and leaves as one collected message."""

    @abstractmethod
    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Send once. Return how it ended; a transport error may be raised, and counts as `Retry`.

        Repeating a delivery with the same `id` must do no harm where the peer allows it (`Idempotency-Key`).
        """

    def takes(self, severity: Severity) -> bool:  # noqa: ARG002 - most kinds take them all
        """Return whether this channel is told of alerts of `severity`, whatever the routes say."""
        return True

    def doubts(self) -> Iterator[str]:
        """Yield what is allowed and yet probably not meant, one sentence each; most kinds doubt nothing."""
        yield from ()

    def among(self, channels: Mapping[str, Channel]) -> Self:  # noqa: ARG002 - most kinds hear for themselves alone
        """Return this channel as it listens beside the others, by name: what they share is heard by one of them."""
        return self

    def permissions(self) -> tuple[Permission, ...]:
        """Return what must be allowed to us before it can send."""
        return ()

    @property
    def acknowledges(self) -> bool:
        """Return whether people can acknowledge an alert from here, so that an escalation stops."""
        return False

    @property
    def silent(self) -> bool:
        """Return whether a message here can come without disturbing anybody, as what steps found out must."""
        return True

    async def listen(self, name: str, ear: Ear, resources: Resources) -> None:
        """Hear what people say in this channel, called `name`, until cancelled; most kinds hear nothing and return.

        It runs only while this instance leads. It may raise: it is called again after a while.
        """

    def secrets(self) -> tuple[Secret, ...]:
        """Return every text of this channel that must never be shown: its secret fields, and what is secret in them.

        An error or an answer rarely repeats a whole address, but it may well repeat its path, token or password.
        """
        whole = [one for value in self.__dict__.values() for one in _each(value) if isinstance(one, Secret)]
        parts = {part for secret in whole for part in secret_parts(secret.reveal())}
        return (*whole, *(Secret(part) for part in sorted(parts)))


async def deliver(
    channel: Channel, delivery: Delivery, resources: Resources, deadline: timedelta = DEADLINE
) -> SendResult:
    """Send once within `deadline`; how that may end, see `attempt`."""
    return await attempt(channel, channel.send(delivery, resources), resources, deadline)


async def attempt(
    channel: Channel, work: Awaitable[SendResult], resources: Resources, deadline: timedelta = DEADLINE
) -> SendResult:
    """Await `work` of `channel` for no longer than `deadline`, and return how it ended.

    Never raises, except when cancelled; reasons are one clean line without a secret.
    """
    hide = _hider(channel, resources)
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            result = await work
    except TimeoutError:
        return Retry(f"no answer within {deadline.total_seconds():g} s")
    except Failure as failure:
        return Retry(hide(failure.detail))
    except OSError as error:
        return Retry(hide(f"{type(error).__name__}: {error}"))
    except Exception as error:  # noqa: BLE001 - a bug in one channel must not end the outbox
        # Not `log.exception`: the text of the error, and of those that caused it, would leave unredacted.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("send_crashed", kind=channel.kind, error=hide(f"{type(error).__name__}: {error}"), where=where)  # noqa: TRY400
        return Retry(f"the channel itself failed: {type(error).__name__}")
    return result if isinstance(result, Delivered) else replace(result, reason=hide(result.reason))


async def listen(channel: Channel, name: str, ear: Ear, resources: Resources) -> str:
    """Hear what people say in `channel`, called `name`, until cancelled or it ends.

    Return why it broke off, in one clean line without a secret; empty: this kind hears nothing.
    """
    hide = _hider(channel, resources)
    try:
        await channel.listen(name, ear, resources)
    except Failure as failure:
        return hide(failure.detail)
    except OSError as error:
        return hide(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - a bug in one channel must not end the others
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("listening_crashed", kind=channel.kind, error=hide(f"{type(error).__name__}: {error}"), where=where)  # noqa: TRY400
        return f"the channel itself failed: {type(error).__name__}"
    return ""


def _hider(channel: Channel, resources: Resources) -> Callable[[str], str]:
    own = Redactor(channel.secrets())
    return lambda text: plain(own(resources.redact(text)), LONGEST_REASON)


def _each(value: Any) -> Iterable[Any]:  # noqa: ANN401 - of any field
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return (value,)


def secret_parts(text: str) -> Iterator[str]:
    """Yield what is secret in an address: password, path, the parts of the path, the values of the query."""
    if "://" not in text:
        return
    try:
        address = urlsplit(text)
    except ValueError:
        return
    if address.password:
        yield from (address.password, unquote(address.password))
    values = [pair.partition("=")[2] for pair in address.query.split("&")]
    for part in (address.path, *address.path.split("/"), address.query, *values):
        if len(part) >= SHORTEST_TOKEN:
            yield from (part, unquote(part))
