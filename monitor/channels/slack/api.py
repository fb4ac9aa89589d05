"""Slack's Web API: one call, and what its answer means.

Facts are those of docs.slack.dev. Slack says most refusals with a 200 and `ok: false`; each error that a message may
meet has its own meaning here, because a person must do another thing about each.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.channels.base import Rejected, Retry
from monitor.channels.posting import quote, refusal, retry_after, send
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp

    from monitor.channels.posting import Answer
    from monitor.secrets import Secret

TEMPORARY = frozenset(
    {
        *("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        "team_added_to_org",
    }
)
GONE = frozenset(
    {
        *("message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"),
        *("cannot_reply_to_message", "update_failed"),
    }
)
"""What says that an earlier message can be changed, or answered, no more: it is to be posted anew."""
TOO_RICH = frozenset({"msg_too_long", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""What says that the form is at fault: the text alone may pass."""
_INSTALL = "install the app again in Slack and put its new token here"
ADVICE: Mapping[str, str] = {
    "channel_not_found": "it shows this app no channel {channel}: look at the id, and invite the app to the channel",
    "not_in_channel": "the app is not in the channel {channel}: invite it there (/invite and its name)",
    "is_archived": "the channel {channel} is archived: name another, or take it out of the archive",
    "restricted_action": "who may post in the channel {channel} is restricted, and the app is not among them",
    "invalid_auth": f"the token is not valid: {_INSTALL}",
    "not_authed": f"the token is not valid: {_INSTALL}",
    "token_revoked": f"the token was revoked: {_INSTALL}",
    "token_expired": f"the token has expired: switch token rotation off, {_INSTALL}",
    "account_inactive": f"the app was removed from the workspace: {_INSTALL}",
    "missing_scope": f"the token lacks the scope {{needed}}: add it to the app, {_INSTALL}",
    "not_allowed_token_type": "that kind of token may not do this: `token` is the bot's (xoxb), `app_token` the app's",
}
"""What whoever runs the daemon must do about what will not pass by itself."""

_BEGINNING = re.compile(r'\s*\{"ok":\s*true,\s*"channel":\s*"(?P<channel>\w+)",\s*"ts":\s*"(?P<ts>[\d.]+)"')


class Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    """Slack did not do what was asked. `error` is its word for it, if it said one; `result` how a send then ends."""

    def __init__(self, error: str, result: Retry | Rejected) -> None:
        super().__init__(result.reason)
        self.error = error
        self.result = result


@dataclass(frozen=True, slots=True)
class Api:
    """The Web API with one token."""

    url: str
    token: Secret
    session: aiohttp.ClientSession

    async def call(self, method: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what `method` answers. Raises `Refused`, and `Failure` when no answer came."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Authorization": f"Bearer {self.token.reveal()}",
        }
        answer = await send(self.session, f"{self.url}/{method}", headers, json.dumps(payload).encode(), read=True)
        said = _read(answer)
        match said:
            case {"ok": True}:
                return said
            case {"ok": False, "error": str(error)}:
                raise Refused(error, _meaning(error, said, answer, str(payload.get("channel", ""))))
        if not answer.accepted:
            raise Refused("", refusal(answer))
        raise Refused("", Retry(f"{quote(answer)}, which is no answer of Slack's", retry_after(answer.headers)))


def _read(answer: Answer) -> Mapping[str, Any]:
    """Return the object that `answer` holds; nothing if it holds none.

    An answer repeats the whole message. If it breaks off after it said what became of it, that counts: otherwise the
    same message would be posted again, and break off again.
    """
    try:
        said = json.loads(answer.text)
    except (ValueError, RecursionError):
        begun = _BEGINNING.match(answer.text) if answer.accepted else None
        return {"ok": True, **begun.groupdict()} if begun else {}
    return said if isinstance(said, dict) else {}


def _meaning(error: str, said: Mapping[str, Any], answer: Answer, channel: str) -> Retry | Rejected:
    word = plain(error, 100)
    if error in TEMPORARY:
        return Retry(f"Slack says {word}", retry_after(answer.headers))
    if not answer.accepted:
        return refusal(answer)
    advice = ADVICE.get(error, "")
    needed = plain(str(said.get("needed", "")), 100) or "that it needs"
    what = advice.format(channel=channel, needed=needed)
    return Rejected(f"Slack says {word}: {what}" if what else f"Slack refuses it: {word}")
