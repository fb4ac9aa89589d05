"""What a page says may come from anywhere: nothing in it acts in any channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitor.channels.base import Delivered, deliver
from monitor.model import Acknowledgement, EventKind, Page, Severity, labels
from monitor.plain import plain
from tests.channels.examples import NOW, delivery, notification, page
from tests.channels.rigs import standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.channels.base import Resources
    from tests.channels.rigs import Rig

HOSTILE = {
    "mention": "<!channel> <!here> @here @channel @everyone <@U012ABCDEF>",
    "slack link": "<http://evil.example|click>",
    "markdown": "[click](http://evil.example) `code` ```block``` *bold* _it_ ~no~ > quote",
    "ansi": "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link\x1b]8;;\x07 \x9b2J",
    "header": "a\r\nBcc: evil@evil.example\r\n\r\n<p>body</p>",
    "lone return": "a\rb\nc\x0bd\x85e\u2028f\u2029g",
    "rich": "[red]alarm[/red] [link=http://evil.example]x[/link]",
    "template": "{{ 7 * 7 }} {% raw %} ${HOME} {0} %s",
    "html": "</title></script><script>alert(1)</script><img src=x onerror=alert(1)><a href='http://evil.example'>x</a>",
    "entity": "&lt;!channel&gt; &amp; &#60;b&#62; &nbsp;",
    "smtp": ".\r\nMAIL FROM:<evil@evil.example>\r\n.\r\n",
    "bidi": "\u202eevil\u202c \u2066x\u2069 \u200fy",
    "hidden": "a\u200bb\u2060c\ufeffd\u00ade \U000e0041\u3164",
    "surrogate": "a\ud800b\udfffc",
    "null": "a\x00b\x07c\x7f",
    "quotes": '" \' \\ "); DROP TABLE x; --',
    "long": "A" * 50_000,
    "bare": " \t\r\n ",
}
URLS = (
    "javascript:alert(1)",
    "http://u:p@evil.example/",
    "https://x/\r\nBcc: e",
    'https://x/"><script>',
    "https://x/|y>z",
)


def hostile_pages(text: str) -> Iterator[Page]:
    """Yield pages with `text` in one field after the other, and in all of them."""
    every: dict[str, Any] = {
        **dict.fromkeys(("title", "summary", "system", "check", "alert", "value", "figure", "trend"), text),
        "labels": labels({text: text, "state": text}),
        "beside": (text, text),
        "remedy": (text, text),
        "answers": (text, text),
        "before": (text, text),
        "shares": tuple((kind, text) for kind in ("host", "platform", "region", "vendor", "incident", "reason")),
        "taken": Acknowledgement(text, NOW, Severity.CRITICAL, NOW, text),
        "links": ((text, "https://example.com/runbook"), ("Runbook", text), *(("Runbook", url) for url in URLS)),
    }
    for name, value in every.items():
        yield page(**{name: value})
    yield page(**every)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_text_does_nothing(rig: Rig, text: str, resources: Resources) -> None:
    """No mention, link, header, escape or template comes out, whatever field it came in by; alone or collected.

    What can be seen of it is shown as it is.
    """
    pages = list(hostile_pages(text))
    alone = [delivery(notification(about=about)) for about in pages]
    together = delivery(*(notification(number, about=about) for number, about in enumerate(pages * 3)))
    ended = delivery(
        notification(kind=EventKind.RESOLVED, about=pages[-1], fallback_for=text, missed=True), uncertain=True
    )
    alone, others = (alone[-1:], ()) if rig.dear else (alone, (together, ended))
    async with standing(rig) as (channel, peer):
        for one in (*alone, *others):
            assert isinstance(await deliver(channel, one, resources), Delivered)
        for arrived in rig.arrived(peer):
            rig.check(arrived)
        collected = len(pages) * 3 if rig.apart else 1
        assert len(rig.arrived(peer)) == len(alone) + (collected + 1 if others else 0)
        assert plain(text, 150)[:60] in rig.check(rig.arrived(peer)[len(alone) - 1])
