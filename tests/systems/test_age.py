"""Secrets that grow old, in the files of the systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitor.model import State
from monitor.probes.age import AgeCheck
from monitor.probes.age.calendar import midnight
from tests.systems.bench import bench
from tests.systems.ecomdash import EcomDash
from tests.systems.realstaging import RealStaging
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority

DAY = timedelta(days=1)


class Line(NamedTuple):
    """A requirement, its system and check, the variable that holds the day, the period, and words of the remedy."""

    id: str
    system: Callable[[Authority], Any]
    check: str
    variable: str
    period: str
    remedy: str


LINES = [
    Line("RS-17", RealStaging, "secrets", "REALSTAGING_SECRETS_DATE", "quarterly", "in the staging environment first"),
    Line("TA-26", Tatame, "secrets", "TATAME_SECRETS_DATE", "quarterly", "a test payment work"),
    Line("ED-24", EcomDash, "secret-keys", "ECOMDASH_KEYS_DATE", "90d", "After 24 hours"),
    Line("ED-24", EcomDash, "secret-shopify", "ECOMDASH_SHOPIFY_SECRET_DATE", "yearly", "In the Partners Dashboard"),
    Line("ED-24", EcomDash, "secret-openai", "ECOMDASH_OPENAI_KEY_DATE", "half-yearly", "Revoke the old key"),
    Line("ED-24", EcomDash, "secret-cli", "ECOMDASH_CLI_TOKEN_DATE", "90d", "render login"),
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.id} {line.check}")
async def test_a_secret_grows_old(line: Line, authority: Authority) -> None:
    """Quiet until 14 days before, then told; a warning on the day; over once the file has the new one."""
    today = datetime.now(UTC).date()
    async with bench(line.system, authority, **{line.variable: f"{today}"}) as running:
        plan = running.plan(line.check)
        check = plan.check
        assert isinstance(check, AgeCheck)
        due = min(item.lasts() for item in check.items.values())
        assert (await running.run(line.check)).state is State.UP
        await running.clock.advance(midnight(due) - 15 * DAY - running.clock.now())
        await running.run(line.check)
        assert running.told() == []
        await running.clock.advance(2 * DAY)
        await running.run(line.check)
        told = running.told()
        assert {each.channel for each in told} == {"ops"}
        assert all("info" in each.headline.lower() for each in told), told
        await running.clock.advance(midnight(due) - running.clock.now())
        await running.run(line.check)
        told = running.told()
        assert {each.channel for each in told} == {"ops", "hook"}
        text = " ".join(each.text for each in told)
        for words in (f"{plan.title}: due", f"due on {due}, set {today} for {line.period}", line.remedy):
            assert words in text
        assert any("warning" in each.headline.lower() for each in told)
        new = {name: item.model_copy(update={"set_": due}) for name, item in check.items.items()}
        await running._run_and_tell(replace(plan, check=check.model_copy(update={"items": new})))
        told = running.told()
        assert {each.channel for each in told} == {"ops", "hook"}
        assert all("resolved" in each.text.lower() for each in told)
