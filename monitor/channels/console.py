"""The terminal as a channel: each page is printed as it would be sent. For trying things out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from monitor.channels.base import Channel, Delivered, Retry
from monitor.message import as_text, message_of

if TYPE_CHECKING:
    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery

RULE = "─" * 72


class ConsoleChannel(Channel):
    """Prints to the standard output."""

    kind: Literal["console"] = "console"

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Print once."""
        text = resources.redact(as_text(message_of(delivery)))
        try:
            sys.stdout.write(f"\n{RULE}\n{text}{RULE}\n")
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            return Retry(f"the standard output takes nothing: {type(error).__name__}")
        return Delivered()
