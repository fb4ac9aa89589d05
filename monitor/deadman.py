"""The dead man's switch: somebody else's service that raises the alarm when our pings stop.

A ping says that the daemon did its whole work: in the last minute a sample was judged and committed, and nothing is
owed for longer than five minutes. When nobody accepted a critical, `/fail` carries its title and remedy there, and
pings stay away until what was owed then is gone, since a ping would call the all-clear.

Made for healthchecks.io, of whose documentation four facts matter: the suffix `/fail`, a body that is kept and shown,
2xx as the only success, and no more than five pings in a minute. Any other address that takes a GET will do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import structlog

from monitor.model import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.secrets import Secret

EVERY = timedelta(minutes=1)
LONGEST_OWED = timedelta(minutes=5)
MOST_PER_MINUTE = 5
STEP = timedelta(seconds=5)
RETRY = timedelta(seconds=20)
DEADLINE = timedelta(seconds=10)
LONGEST_BODY = 10_000
MOST_TEXTS = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the daemon's work has come: the newest moments, and since when the oldest notification is owed."""

    judged_at: datetime | None = None
    committed_at: datetime | None = None
    oldest_owed: datetime | None = None


class Tally(Protocol):
    """What counts pings."""

    def pinged(self, *, accepted: bool) -> None:
        """Count an attempt."""


def due(
    now: datetime, progress: Progress, *, pinged: datetime | None, failed: datetime | None, window: timedelta = EVERY
) -> bool:
    """Return whether a ping is due at `now`.

    `pinged` is when the last ping was accepted and `failed` when `/fail` was. `window` is how recent the newest judged
    and committed samples must be: a minute, or longer where every check runs less often.
    """
    if pinged is not None and now - pinged < EVERY:
        return False
    if not all(moment and now - moment <= window for moment in (progress.judged_at, progress.committed_at)):
        return False
    oldest = progress.oldest_owed
    if oldest is None:
        return True
    return now - oldest <= LONGEST_OWED and (failed is None or oldest > failed)


def fail_url(url: str) -> str:
    """Return where failures go: `url` with `/fail` behind its path, before any query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail", fragment=""))


class Deadman:
    """Pings once a minute while all is well, and passes on what nobody else took."""

    def __init__(
        self,
        url: Secret,
        session: aiohttp.ClientSession,
        clock: Clock,
        progress: Callable[[], Progress],
        tally: Tally,
        window: Callable[[], timedelta] = lambda: EVERY,
    ) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._progress = progress
        self._tally = tally
        self._window = window
        self._tried: deque[datetime] = deque(maxlen=MOST_PER_MINUTE)
        self._pinged: datetime | None = None
        self._failed: datetime | None = None
        self._texts: deque[str] = deque(maxlen=MOST_TEXTS)
        self._sending = asyncio.Lock()
        self._well = True

    async def run(self) -> None:
        """Ping until cancelled. A ping that hangs ends at its deadline."""
        while True:
            await self._turn()
            await self._clock.sleep_until(self._clock.now() + STEP)

    async def fail(self, text: str) -> None:
        """Report a critical that nobody accepted; tried at once, and again by `run` until it is accepted."""
        self._texts.append(text)
        await self._turn()

    async def _turn(self) -> None:
        """Send what there is to send, if anything, and never two things at once: the last one is what counts there."""
        async with self._sending:
            now = self._clock.now()
            if len(self._tried) == MOST_PER_MINUTE and now - self._tried[0] <= EVERY:
                return
            if self._texts:
                await self._pass_on(now, list(self._texts))
            elif due(now, self._progress(), pinged=self._pinged, failed=self._failed, window=self._window()):
                accepted = await self._send("GET", self._url.reveal())
                self._pinged = now if accepted else now - EVERY + RETRY

    async def _pass_on(self, now: datetime, texts: list[str]) -> None:
        body = "\n\n".join(texts)[:LONGEST_BODY].encode("utf-8", "replace")
        if await self._send("POST", fail_url(self._url.reveal()), body):
            self._failed = now
            self._texts = deque((text for text in self._texts if text not in texts), MOST_TEXTS)

    async def _send(self, method: str, url: str, body: bytes | None = None) -> bool:
        """Send once; return whether it was accepted. The address is a secret: no error text of others is shown."""
        self._tried.append(self._clock.now())
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                status = await self._exchange(method, url, body)
            reason = "" if 200 <= status < 300 else f"status {status}"  # noqa: PLR2004 - any 2xx
        except (Failure, aiohttp.ClientError, OSError, ValueError) as error:
            reason = type(error).__name__
        self._tally.pinged(accepted=not reason)
        self._note(reason)
        return not reason

    async def _exchange(self, method: str, url: str, body: bytes | None) -> int:
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body else {}
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status

    def _note(self, reason: str) -> None:
        """Log the change from well to ill and back, and nothing between."""
        if reason and self._well:
            log.warning("deadman_switch_unreachable", reason=reason)
        elif not reason and not self._well:
            log.info("deadman_switch_reached")
        self._well = not reason
