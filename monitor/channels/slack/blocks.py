"""How a message reads in Slack: Block Kit, within its limits. Pure.

Limits are those of docs.slack.dev. Text from elsewhere only ever stands in `plain_text` objects, where Slack reads no
markup; only what is ours (headings, links, mentions) is mrkdwn.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from monitor.message import as_text, entry_text, more_text, steps_text
from monitor.model import Severity
from monitor.plain import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.message import Entry, Message

LONGEST_HEADER = 150
LONGEST_SECTION = 2_100
"""Slack takes 3,000 characters; less, so that the section of most weight fits into `LARGEST` in any script."""
LONGEST_FIELD = 2_000
MOST_ROWS = 5
MOST_BLOCKS = 50
LARGEST = 11_000
"""Bytes of all blocks together. Slack documents no such limit, yet refuses what is larger than about 13,000
(github.com/slackapi/bolt-js/issues/2509)."""
LONGEST_TEXT = 3_500
"""Slack advises at most 4,000 characters for `text`."""
ICONS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵", None: "🟢"}

_LINK_LABEL = re.compile(r"[*_~`|]")
_MENTION = re.compile(r"@(?=\w)")

Block = dict[str, Any]


def text_of(message: Message) -> str:
    """Return `message` as the text that stands in notifications, and in place of blocks."""
    return escaped(cut(as_text(message), LONGEST_TEXT))


def blocks(message: Message, call: str = "", buttons: Sequence[Block] = ()) -> list[Block]:
    """Return `message` as blocks within Slack's limits; `call` is the markup of whom to call.

    `buttons` stand above the remedy: what is long is cut at its end, and folded away on a phone.
    """
    title = f"{ICONS[message.severity]} {message.headline}"
    made: list[Block] = [{"type": "header", "text": _plain(title, LONGEST_HEADER)}]
    if call:
        made.append(_ours(call))
    made += _sections("\n".join(text for text in (message.shares, *message.notes) if text))
    if message.collected:
        made += buttons
        for entry in message.entries:
            made += [{"type": "divider"}, *_collected(entry)]
        made += _sections("\n".join(f"• {line}" for line in message.lines))
        made += _sections(more_text(message))
    else:
        made += _single(message.entries[0], message.headline, buttons)
    return _fitting(made)


def line_blocks(line: str, call: str = "") -> list[Block]:
    """Return one line of a history as blocks; `call` is the markup of whom to call."""
    return [*([_ours(call)] if call else []), *_sections(line)]


def _single(entry: Entry, headline: str, buttons: Sequence[Block]) -> Iterator[Block]:
    """Yield what stands below the header; the links before the remedy, which may be too long to be shown whole."""
    whole = headline if len(headline) > LONGEST_HEADER - 2 else ""
    yield from _sections("\n".join(text for text in (whole, f"{entry.when}.", *entry.notes, entry.summary) if text))
    rows = [(_ours_text(f"*{name}*"), _plain(value, LONGEST_FIELD)) for name, value in entry.facts[:MOST_ROWS]]
    yield {"type": "section", "fields": [text for row in rows for text in row]}
    yield from _links(entry)
    yield from buttons
    if entry.steps:
        yield _ours("*What to do*")
        yield from _sections(steps_text(entry.steps))


def _collected(entry: Entry) -> Iterator[Block]:
    icon = ICONS[None if entry.ended else entry.severity]
    yield from _sections(f"{icon} {entry.line}\n{entry_text(replace(entry, links=()))}")
    yield from _links(entry)


def _links(entry: Entry) -> Iterator[Block]:
    if entry.links:
        marked = (f"<{_entities(address)}|{_entities(_LINK_LABEL.sub(' ', label))}>" for label, address in entry.links)
        yield _ours(" · ".join(marked))


def _fitting(made: list[Block]) -> list[Block]:
    """Return `made`, its end replaced by a remark if it is more than Slack takes."""
    rest: list[Block] = []
    while len(made) + len(rest) > MOST_BLOCKS or _size([*made, *rest]) > LARGEST:
        rest = list(_sections("… the rest does not fit into one Slack message."))
        made = made[:-1]
    return [*made, *rest]


def _size(made: Sequence[Block]) -> int:
    return len(json.dumps(made, ensure_ascii=False).encode())


def _sections(text: str) -> Iterator[Block]:
    for part in _parts(text):
        yield {"type": "section", "text": _plain(part, LONGEST_SECTION)}


def _parts(text: str) -> Iterator[str]:
    """Cut `text` into parts that a section takes, between lines where that is possible."""
    part = ""
    for line in _lines(text):
        if part and len(part) + len(line) >= LONGEST_SECTION:
            yield part
            part = line
        else:
            part = f"{part}\n{line}" if part else line
    if part.strip():
        yield part


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from (line[start : start + LONGEST_SECTION] for start in range(0, len(line) or 1, LONGEST_SECTION))


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": cut(text, longest), "emoji": False}


def _ours(markup: str) -> Block:
    return {"type": "section", "text": _ours_text(markup)}


def _ours_text(markup: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": markup, "verbatim": True}


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escaped(text: str) -> str:
    """Return `text` so that neither Slack nor what imitates Slack finds a mention or markup in it."""
    return _entities(_MENTION.sub("@\u200a", text))


def call_of(mention: str) -> str:
    """Return the markup that calls `mention`; nothing calls nobody."""
    if mention in {"here", "channel"}:
        return f"<!{mention}>"
    return f"<!subteam^{mention}>" if mention.startswith("S") else f"<@{mention}>" if mention else ""
