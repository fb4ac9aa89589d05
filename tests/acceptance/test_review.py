"""The week's review, sent by the real process: once, also late, and also where it is killed in that minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.model import Change
from monitor.review.reviews import Mark
from tests.acceptance.peers import until
from tests.acceptance.process import SITE
from tests.store.files import leading

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor

HOUR = timedelta(hours=1)


async def test_it_comes_once_though_nobody_was_there_and_the_process_is_killed(
    shop: Shop,  # noqa: ARG001 - it is watched
    hook: Receiver,
    watching: Callable[..., Monitor],
) -> None:
    """Asked for an hour ago, due a quarter of an hour ago; killed when it was heard, the next process says nothing."""
    now = SystemClock().now()
    due = now - HOUR / 4
    daemon = watching(f"{SITE}\nreview: {{notify: hook, at: '{due:%a %H:%M}'}}\n")
    daemon.store.parent.mkdir()
    store = await leading(daemon.store)
    await store.write([Change(keepsakes=(Mark(now - HOUR, sent=False).keepsake,))])
    await store.close()
    async with daemon:
        await until(lambda: hook.posts, "the review")
        await daemon.kill()
        await daemon.start()
        await until(lambda: daemon.stored("SELECT 1 FROM notifications WHERE settled_at IS NOT NULL"), "its end")
    assert {post.key for post in hook.posts} == {hook.posts[0].key}
    (alert,) = hook.posts[0].alerts
    assert alert["annotations"]["summary"].startswith("The week from ")
    assert "A quiet week" in alert["annotations"]["description"]
