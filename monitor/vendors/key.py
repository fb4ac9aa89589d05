"""A key as a file gives it: something that a header can carry."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from monitor.secrets import Secret

_VISIBLE = re.compile(r"[!-~]+")


def _sendable(key: Secret) -> Secret:
    if not _VISIBLE.fullmatch(key.reveal()):
        raise ValueError("a key holds visible characters alone: is there a space or a line break at its end?")
    return key


Key = Annotated[Secret, AfterValidator(_sendable)]
"""A secret of visible characters: a line break that came along with it would become a line of the request."""
