"""The incoming webhook, the simple way: it returns no id, so what was posted stands as it is."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from monitor.channels.base import Delivered, Rejected, Retry
from monitor.channels.posting import post, quote, refusal, retry_after
from monitor.channels.slack.api import TEMPORARY
from monitor.channels.slack.blocks import blocks, text_of
from monitor.message import message_of

if TYPE_CHECKING:
    from monitor.channels.base import Resources, SendResult
    from monitor.channels.posting import Answer
    from monitor.model import Delivery

_BLOCKS_REFUSED = re.compile(r"\b(?:invalid_blocks|msg_blocks_too_long)")

log = structlog.get_logger()


async def post_to_webhook(url: str, delivery: Delivery, call: str, resources: Resources) -> SendResult:
    """Post `delivery` once; `call` is the markup of whom to call.

    If Slack refuses the blocks, the text alone is posted: a plain page beats none.
    """
    message = message_of(delivery)
    text = {"text": text_of(message), "mrkdwn": False}
    quiet = {"unfurl_links": False, "unfurl_media": False}
    answer = await post(resources, url, {**text, **quiet, "blocks": blocks(message, call)}, {}, read=True)
    if answer.status == HTTPStatus.BAD_REQUEST and _BLOCKS_REFUSED.search(answer.text):
        log.error("slack_refused_blocks", answer=answer.text[:200])
        text["text"] = f"{call} {text['text']}".strip()
        answer = await post(resources, url, {**text, **quiet}, {}, read=True)
    return _result(answer)


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
