"""Where the messages about incidents stand, in the channels that can change them. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import EventKind, Post

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from monitor.model import Notification

OVER = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
KEPT = timedelta(days=1)
"""For how long the message about an incident that is over can still be changed: somebody may say what fixed it."""


class Posts:
    """Every such message that may still change, by channel and incident."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Post]] = {}
        self._over: dict[tuple[str, str], datetime] = {}

    def restore(self, posts: Iterable[Post], going_on: Collection[str], now: datetime) -> None:
        """Take up what an earlier process posted; what is known since is newer. `going_on` are incidents."""
        for post in posts:
            if post.incident in self._known.setdefault(post.channel, {}):
                continue
            self._known[post.channel][post.incident] = post
            if post.incident not in going_on:
                self._over[post.channel, post.incident] = min(post.at, now)
        self._forget(now)

    def about(self, notifications: Iterable[Notification]) -> dict[str, str]:
        """Return the references of the messages that `notifications`, all to one channel, are about, by incident."""
        known = ((note.incident, self._known.get(note.channel, {}).get(note.incident)) for note in notifications)
        return {incident: post.reference for incident, post in known if post is not None}

    def going_on(self, channel: str) -> dict[str, str]:
        """Return the references of the messages in `channel` whose end nobody was told of there, by incident."""
        known = self._known.get(channel, {})
        return {one: post.reference for one, post in known.items() if (channel, one) not in self._over}

    def delivered(
        self, channel: str, notifications: Iterable[Notification], posted: Mapping[str, str], now: datetime
    ) -> tuple[Post, ...]:
        """Note that `notifications` were delivered, and what was `posted`; return what must be written."""
        self._forget(now)
        new = tuple(Post(channel, incident, reference, now) for incident, reference in posted.items())
        self._known.setdefault(channel, {}).update({post.incident: post for post in new})
        for note in notifications:
            if note.kind in OVER:
                self._over[channel, note.incident] = now
        return new

    def _forget(self, now: datetime) -> None:
        for channel, incident in [key for key, since in self._over.items() if now - since > KEPT]:
            del self._over[channel, incident]
            self._known.get(channel, {}).pop(incident, None)
