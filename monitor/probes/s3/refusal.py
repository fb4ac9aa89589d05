"""What an answer of a storage means that is no success. Pure.

The storage is what is watched: when it fails, or takes no more, it is down. When it does not let us in, or does not
know what we ask for, nothing can be told.
"""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from monitor.answer import shown
from monitor.model import Failure, Reason, State
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.answer import Answer

LONGEST_WORDS = 160
REDIRECTS = range(300, 400)
_CODE = re.compile(r"<Code>([A-Za-z0-9.]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,2000})</Message>")


class Meaning(NamedTuple):
    """What a refusal means."""

    reason: Reason
    text: str
    state: State = State.UNKNOWN


CLOCK = Meaning(Reason.AUTH, "the storage's clock and ours differ by more than it allows")
FULL = Meaning(Reason.SATURATED, "the storage takes no more", State.DOWN)
BUCKET = Meaning(Reason.MISSING, "there is no such bucket here")
SLOWER = Meaning(Reason.RATE_LIMITED, "the storage wants fewer requests")
KEY = Meaning(Reason.AUTH, "the storage does not take the key")
RIGHT = Meaning(Reason.AUTH, "the key is not allowed to")
CODES: Mapping[str, Meaning] = {
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), CLOCK),
    **dict.fromkeys(("XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded"), FULL),
    "NoSuchBucket": BUCKET,
    **dict.fromkeys(("SlowDown", "SlowDownRead", "SlowDownWrite", "RequestLimitExceeded", "TooManyRequests"), SLOWER),
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"), KEY),
}
"""docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what MinIO adds."""
STATUSES: Mapping[int, Meaning] = {
    HTTPStatus.UNAUTHORIZED: KEY,
    HTTPStatus.FORBIDDEN: RIGHT,
    HTTPStatus.TOO_MANY_REQUESTS: SLOWER,
    HTTPStatus.INSUFFICIENT_STORAGE: FULL,
}
CAP = re.compile(r"\bcap exceeded\b", re.IGNORECASE)
"""What Backblaze says, with 403, once a cap on cost is reached (its documents: Data Caps & Alerts)."""


def code_of(answer: Answer) -> str:
    """Return the code of an error; empty where the answer has none."""
    found = _CODE.search(answer.text)
    return found[1] if found else ""


def refusal(answer: Answer, doing: str, redact: Callable[[str], str]) -> Failure:
    """Return what it means that the storage refused to do what `doing` says."""
    said = _words(answer, redact)
    meaning = FULL if CAP.search(said) else CODES.get(code_of(answer)) or _by_status(answer)
    told = f": {said}" if said else ""
    return Failure(meaning.reason, f"{doing}: {meaning.text}{told}", meaning.state)


def _by_status(answer: Answer) -> Meaning:
    status = answer.status
    if status in STATUSES:
        return STATUSES[status]
    if status in REDIRECTS:
        return Meaning(Reason.PROTOCOL, f"the storage redirects us{_place(answer)}: is the bucket in another region?")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Meaning(Reason.STATUS, f"the storage answers {status}", State.DOWN)
    return Meaning(Reason.PROTOCOL, f"the storage answers {status}")


def _words(answer: Answer, redact: Callable[[str], str]) -> str:
    """Return what an error says of itself. Other elements repeat the key and what was signed: they are never shown."""
    found = _MESSAGE.search(answer.text)
    return plain(redact(unescape(found[1])), LONGEST_WORDS) if found else ""


def _place(answer: Answer) -> str:
    try:
        return f" to {shown(answer.location)}" if answer.location else ""
    except ValueError:
        return ""
