"""Slack: an incoming webhook, the message in Block Kit.

Limits and answers are those of docs.slack.dev (Block Kit, incoming webhooks). Text from elsewhere only ever stands in
`plain_text` objects, where Slack reads no markup; only what is ours (headings, links, mentions) is mrkdwn. A webhook
returns no message id, so that a message cannot be edited later.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

import structlog
from pydantic import Field

from monitor.channels.base import Channel, Delivered, Rejected, Retry
from monitor.channels.posting import Address, post, quote, refusal, retry_after
from monitor.message import as_text, entry_text, message_of, more_text, steps_text
from monitor.model import Severity
from monitor.plain import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.channels.base import Resources, SendResult
    from monitor.channels.posting import Answer
    from monitor.message import Entry, Message
    from monitor.model import Delivery

LONGEST_HEADER = 150
LONGEST_SECTION = 2_400
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
TEMPORARY = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})

_LINK_LABEL = re.compile(r"[*_~`|]")
_MENTION = re.compile(r"@(?=\w)")
_BLOCKS_REFUSED = re.compile(r"\b(?:invalid_blocks|msg_blocks_too_long)")

Block = dict[str, Any]

log = structlog.get_logger()


class SlackChannel(Channel):
    """Posts to a Slack channel through an incoming webhook."""

    kind: Literal["slack"] = "slack"
    webhook_url: Address
    """The incoming webhook's address, which is a secret: whoever has it can post."""
    mention: Annotated[str, Field(pattern=r"^(|here|channel|[UWS][A-Z0-9]{6,})$")] = ""
    """Whom a critical message calls: `here`, `channel`, or the id of a user or user group. Resolves call nobody."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Post once. If Slack refuses the blocks, the text alone is posted: a plain page beats none."""
        message = message_of(delivery)
        call = _call(self.mention) if _rings(delivery) else ""
        text = {"text": _escaped(cut(as_text(message), LONGEST_TEXT)), "mrkdwn": False}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        url = self.webhook_url.reveal()
        answer = await post(resources, url, {**text, **quiet, "blocks": blocks(message, call)}, {}, read=True)
        if answer.status == HTTPStatus.BAD_REQUEST and _BLOCKS_REFUSED.search(answer.text):
            log.error("slack_refused_blocks", answer=answer.text[:200])
            text["text"] = f"{call} {text['text']}".strip()
            answer = await post(resources, url, {**text, **quiet}, {}, read=True)
        return _result(answer)


def blocks(message: Message, call: str = "") -> list[Block]:
    """Return `message` as blocks within Slack's limits; `call` is the markup of whom to call."""
    title = f"{ICONS[message.severity]} {message.headline}"
    made: list[Block] = [{"type": "header", "text": _plain(title, LONGEST_HEADER)}]
    if call:
        made.append(_ours(call))
    made += _sections("\n".join(text for text in (message.shares, *message.notes) if text))
    if message.collected:
        for entry in message.entries:
            made += [{"type": "divider"}, *_collected(entry)]
        made += _sections("\n".join(f"• {line}" for line in message.lines))
        made += _sections(more_text(message))
    else:
        made += _single(message.entries[0], message.headline)
    return _fitting(made)


def _single(entry: Entry, headline: str) -> Iterator[Block]:
    """Yield what stands below the header; the links before the remedy, which may be too long to be shown whole."""
    whole = headline if len(headline) > LONGEST_HEADER - 2 else ""
    yield from _sections("\n".join(text for text in (whole, f"{entry.when}.", *entry.notes, entry.summary) if text))
    rows = [(_ours_text(f"*{name}*"), _plain(value, LONGEST_FIELD)) for name, value in entry.facts[:MOST_ROWS]]
    yield {"type": "section", "fields": [text for row in rows for text in row]}
    yield from _links(entry)
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


def _escaped(text: str) -> str:
    """Return `text` so that neither Slack nor what imitates Slack finds a mention or markup in it."""
    return _entities(_MENTION.sub("@\u200a", text))


def _call(mention: str) -> str:
    if mention in {"here", "channel"}:
        return f"<!{mention}>"
    return f"<!subteam^{mention}>" if mention.startswith("S") else f"<@{mention}>" if mention else ""


def _rings(delivery: Delivery) -> bool:
    return any(one.severity is Severity.CRITICAL and not one.quiet for one in delivery.notifications)


def _result(answer: Answer) -> SendResult:
    """Return what an answer of Slack means: 200 and `ok` is success, but 200 may also carry an error as JSON."""
    if not answer.accepted:
        return refusal(answer)
    if answer.text.strip() == "ok":
        return Delivered()
    try:
        said = json.loads(answer.text)
    except (ValueError, RecursionError):
        said = None
    match said:
        case {"ok": True}:
            return Delivered()
        case {"ok": False, "error": str(error)} if error not in TEMPORARY:
            return Rejected(f"Slack refuses it: {error}")
        case _:
            return Retry(f"{quote(answer)}, which is not Slack's ok", retry_after(answer.headers))
