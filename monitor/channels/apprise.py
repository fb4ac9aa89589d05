"""Apprise: its addresses, for the long tail of services that have no kind of their own here.

Apprise waits in threads that nothing can end, imports two hundred plugins (0.35 s, 50 MB) and prints as they please. So
it never runs in the daemon: each message has a process of its own (`apprise_child.py`), which is killed at the deadline
and gets addresses and text over standard input, since everybody can read a process's arguments. The same process says
at the reading of the file which addresses it does not understand.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from pydantic import AfterValidator, Field, PrivateAttr

from monitor.channels.base import SHORTEST_TOKEN, Channel, Delivered, Rejected, Retry
from monitor.channels.posting import AGAIN
from monitor.channels.progress import Progress
from monitor.message import as_text, message_of
from monitor.model import Severity
from monitor.plain import plain
from monitor.secrets import Secret

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator, Sequence

    from monitor.channels.base import Resources, SendResult
    from monitor.message import Message
    from monitor.model import Delivery

CHILD = (sys.executable, "-I", str(Path(__file__).with_name("apprise_child.py")))
PASSED_ON = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    }
)
"""What of our environment the child sees: the rest holds secrets that no plugin needs."""
MOST_ADDRESSES = 10
LOOK_TIME = timedelta(seconds=20)
LONGEST_ERROR = 4_096
NOWHERE = ".invalid"
"""The domain that is reserved for leading nowhere (RFC 2606): what lies there need not be asked about."""
TYPES = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info", None: "success"}

_FORM = re.compile(r"[A-Za-z][A-Za-z0-9.+-]*://\S+")
_HOST = re.compile(r"localhost|[0-9a-z-]+(\.[0-9a-z-]+)+")
_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_ACTING = re.compile(r"[@<](?=[\w!@#&/])|\](?=\()")

log = structlog.get_logger()


def _understood(urls: list[Secret]) -> list[Secret]:
    texts = [url.reveal() for url in urls]
    for number, text in enumerate(texts):
        if not _FORM.fullmatch(text):
            raise ValueError(f"address {number + 1} must be of the form service://…")
    if strange := _not_understood(texts):
        listed = ", ".join(_named(number, texts[number]) for number in strange)
        raise ValueError(f"apprise does not understand {listed}; its forms are at github.com/caronc/apprise/wiki")
    return urls


class AppriseChannel(Channel):
    """Sends through apprise to any service that it knows."""

    kind: Literal["apprise"] = "apprise"
    urls: Annotated[list[Secret], Field(min_length=1, max_length=MOST_ADDRESSES), AfterValidator(_understood)]
    """Apprise's addresses, such as `tgram://…` or `ntfys://…`; each gets every message."""
    _progress: Progress = PrivateAttr(default_factory=Progress)

    def secrets(self) -> tuple[Secret, ...]:
        """Return the addresses and their parts: in many of them a token stands where others have a host."""
        parts = {part for url in self.urls for part in _parts(url.reveal())}
        return (*super().secrets(), *(Secret(part) for part in sorted(parts)))

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:  # noqa: ARG002 - its own process does
        """Send to each address once; a repetition leaves out those that took it."""
        parts = {f"{delivery.id}/{number}": number for number in range(len(self.urls))}
        left = self._progress.left(parts)
        if not left:  # the deadline came just then
            return self._progress.ended(parts, ())
        urls = [self.urls[number].reveal() for number in left.values()]
        results: list[SendResult] = []
        async with _child({"urls": urls, "message": _form(message_of(delivery))}) as process:
            for _ in left:
                answer = await _answer(process)
                if answer is None:
                    results.append(Retry(await _last_words(process)))
                    break
                identity = list(left)[answer["number"]]
                results.append(_meaning(answer, _named(left[identity], urls[answer["number"]])))
                if isinstance(results[-1], Delivered):
                    self._progress.took(identity)
        return self._progress.ended(parts, results)


def _form(message: Message) -> dict[str, str]:
    """Return `message` for apprise, its mentions and hidden links broken: how they read differs between services."""
    texts = {"title": message.headline, "body": as_text(message)}
    broken = {name: _ACTING.sub("\\g<0>\u200a", text) for name, text in texts.items()}
    return {**broken, "type": TYPES[message.severity]}


def _named(number: int, url: str) -> str:
    """Return what to call the address of that number, counted from 0: its service says nothing secret."""
    service = url.partition("://")[0]
    shown = f" ({service}://…)" if service != url and service.isalnum() and len(service) < SHORTEST_TOKEN * 2 else ""
    return f"address {number + 1}{shown}"


def _parts(url: str) -> Iterator[str]:
    """Yield what may be secret in front of the path of `url`."""
    place = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    for part in (place, *re.split("[@:]", place)):
        if len(part) >= SHORTEST_TOKEN and not _HOST.fullmatch(re.sub(r":\d+$", "", part)):
            yield part


def _meaning(answer: dict[str, Any], name: str) -> SendResult:
    """Return what became of one address. A status that it was answered decides; without one, it may be tried again."""
    if answer["sent"]:
        return Delivered()
    reason = f"{name}: {answer['said'] or 'apprise does not say why it was not sent'}"
    found = _STATUS.search(answer["said"])
    status = int(found[1]) if found else HTTPStatus.SERVICE_UNAVAILABLE
    passing = status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Retry(reason) if passing and answer["known"] else Rejected(reason)


@asynccontextmanager
async def _child(asked: dict[str, Any]) -> AsyncIterator[Process]:
    """Run the child with what it is `asked`; at the end of the block it, and whatever it started, is no more."""
    process = await asyncio.create_subprocess_exec(
        *CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    )
    try:
        await _ask(process, asked)
        yield process
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    """End the process and see to it that it is gone, even if we are cancelled meanwhile."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    gone = asyncio.ensure_future(process.wait())
    try:
        await asyncio.shield(gone)
    except asyncio.CancelledError:
        await gone
        raise


async def _ask(process: Process, asked: dict[str, Any]) -> None:
    stdin = process.stdin
    if stdin is not None:
        with suppress(OSError):  # it died: its standard error says of what
            stdin.write(json.dumps(asked).encode())
            await stdin.drain()
            stdin.close()


async def _answer(process: Process) -> dict[str, Any] | None:
    """Return the next answer; None if there is none any more."""
    line = await process.stdout.readline() if process.stdout is not None else b""
    return json.loads(line) if line.endswith(b"\n") else None


async def _last_words(process: Process) -> str:
    said = await process.stderr.read(LONGEST_ERROR) if process.stderr is not None else b""
    return _died(said)


def _died(said: bytes) -> str:
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return f"apprise ended without an answer: {last}" if last else "apprise ended without an answer"


def _not_understood(texts: Sequence[str]) -> list[int]:
    """Return the numbers of the addresses that apprise does not understand; raises ValueError if it cannot run."""
    asked = [number for number, text in enumerate(texts) if NOWHERE not in text]
    if not asked:
        return []
    given = json.dumps({"urls": [texts[number] for number in asked], "message": None}).encode()
    try:
        done = subprocess.run(  # noqa: S603 - our own file, by our own interpreter
            CHILD, input=given, capture_output=True, timeout=LOOK_TIME.total_seconds(), env=_environment(), check=False
        )
    except subprocess.TimeoutExpired:
        log.warning("apprise_addresses_not_looked_at", after=LOOK_TIME.total_seconds())
        return []
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) < len(asked):
        raise ValueError(plain(_died(done.stderr)))
    return sorted(asked[answer["number"]] for answer in answers if not answer["known"])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper() in PASSED_ON}
