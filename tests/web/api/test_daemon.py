"""The API of a whole daemon: everything in it is answered, and nothing secret ever is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from monitor.web.api.operations import OPERATIONS, Access
from tests.web.api.daemon import SECRETS, Watching, asked, watching
from tests.web.api.shop import OPERATOR
from tests.web.api.test_reading import address

if TYPE_CHECKING:
    from pathlib import Path


CHECKS = "site", "database", "backup", "orders", "left"


async def everything(daemon: Watching) -> dict[str, str]:
    """Return every answer that can be read, by its path."""
    paths = {address(one) for one in OPERATIONS if one.access in {Access.READ, Access.BADGE, Access.OPEN}}
    paths |= {f"/api/v1/systems/shop/checks/{check}{more}" for check in CHECKS for more in ("", "/samples")}
    found = {}
    for path in sorted(paths):
        status, text = await asked(daemon, "GET", path)
        assert status == 200, (path, text)
        found[path] = text
    return found


async def test_everything_is_answered_and_nothing_secret_is(tmp_path: Path) -> None:
    """Secrets stand in addresses, headers, expectations, remedies, tokens, and in what the product says again."""
    async with watching(tmp_path) as daemon:
        await asked(daemon, "POST", "/api/v1/acks", {"system": "shop"})
        answers = await everything(daemon)
    for path, text in answers.items():
        for secret in (*SECRETS.values(), OPERATOR):
            assert secret not in text, (path, text)
    detail = json.loads(answers["/api/v1/systems/shop/checks/site"])
    assert detail["configuration"]["kind"] == "http"
