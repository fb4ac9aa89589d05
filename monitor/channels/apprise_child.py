"""What runs apprise: a process of its own for each message, which is killed when it takes too long.

It is a script that imports nothing of ours, so that it starts with `-I`, whatever folder and environment it is in. One
JSON object comes over standard input: `urls`, and `message` (`title`, `body`, `type`), or null if it is only to be said
which addresses apprise understands. One JSON line goes out for each address as soon as it is done: its `number`,
whether it was `known`, whether it was `sent`, and what apprise `said`. Plugins print to nowhere: whatever they say
there may hold a secret, and must not be taken for an answer.
"""

from __future__ import annotations

import json
import logging
import os
import re
import resource
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType, OverflowMode

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LIFE = 30
"""Seconds after which it ends by itself: whoever started it may be gone."""
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes, ten threads and their stacks included: an answer without end must not cost the daemon its own memory."""
MOST_SAID = 1_000
"""Characters of what apprise says about one address."""
TELLING = ("Response Details", "Socket Exception")
"""How those of its lines for debugging begin that say what went wrong."""

_POOL = re.compile(r"HTTPS?ConnectionPool\(.*\(Caused by (.*)\)$")
"""What urllib3 says around the cause: the address, which is known, and how often it tried."""

_hears: ContextVar[list[str]] = ContextVar("_hears")


class Ear(logging.Handler):
    """Keeps what apprise logs, apart for each address."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep `record` if it says what went wrong."""
        heard = _hears.get(None)
        text = record.getMessage()
        if heard is not None and (record.levelno >= logging.WARNING or text.startswith(TELLING)):
            heard.append(_POOL.sub(r"\1", " ".join(text.split())))


def told(number: int, url: str, message: Mapping[str, Any] | None) -> dict[str, Any]:
    """Send `message` to `url`, if there is one, and return how that ended."""
    heard: list[str] = []
    _hears.set(heard)
    known = sent = False
    try:
        asset = AppriseAsset(app_id="runbook-monitor", async_mode=False, http_redirects=False)
        plugin = Apprise.instantiate(url, asset=asset)
        known = plugin is not None
        if plugin is not None and message is not None:
            sent = plugin.notify(
                body=message["body"],
                title=message["title"],
                notify_type=NotifyType(message["type"]),
                body_format=NotifyFormat.TEXT,
                # Else a service refuses what is too long for it.
                overflow=None if "overflow=" in url else OverflowMode.TRUNCATE,
            )
    except BaseException as error:  # noqa: BLE001 - of any plugin; a thread that dies silently would never answer
        heard.append(f"{type(error).__name__}: {error}")
    return {"number": number, "known": known, "sent": bool(sent), "said": " ".join(heard)[:MOST_SAID]}


def main() -> None:
    """Do what standard input asks for."""
    signal.alarm(LONGEST_LIFE)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for shown in (1, 2):
        os.dup2(nowhere, shown)
    asked = json.load(sys.stdin)
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Ear())
    with ThreadPoolExecutor(len(asked["urls"])) as threads:
        begun = [
            threads.submit(copy_context().run, told, number, url, asked["message"])
            for number, url in enumerate(asked["urls"])
        ]
        for one in as_completed(begun):
            answers.write(json.dumps(one.result()) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
