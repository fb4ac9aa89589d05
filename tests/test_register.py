"""Deploys that are reported: taken by who leads, from whom has the system's token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from monitor.config import DeployFields, System
from monitor.register import Register
from monitor.secrets import Secret
from monitor.web import Release, Taken
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from datetime import datetime

TOKEN = Secret("deploy-token-of-the-shop")


class Rollouts:
    """Keeps what begins."""

    def __init__(self) -> None:
        self.durable = True
        self.begun: list[tuple[str, list[tuple[str, str, str]], datetime]] = []

    def version_of(self, _system: str, part: str) -> str:
        return f"{part}1"

    async def begin(self, system: str, steps: list[tuple[str, str, str]], at: datetime) -> bool:
        self.begun.append((system, steps, at))
        return self.durable


def register(rollouts: Rollouts, *, leads: bool = True) -> Register:
    systems = {"shop": System("shop", "Shop", deploys=DeployFields(token=TOKEN)), "shed": System("shed", "Shed")}
    part: Any = rollouts
    return Register(clock=FakeClock(), rollouts=part, systems=lambda: systems, leads=lambda: leads)


def test_each_system_has_its_own_token_or_none() -> None:
    asked = register(Rollouts())
    assert [asked.secrets(name) for name in ("shop", "shed", "none")] == [[TOKEN], [], []]


@pytest.mark.parametrize(
    ("release", "step"),
    [
        (Release(), ("", "1", "")),
        (Release("2", part="api"), ("api", "api1", "2")),
        (Release("2", "0", "api"), ("api", "0", "2")),
    ],
)
async def test_a_deploy_leads_from_what_was_there_before(release: Release, step: tuple[str, str, str]) -> None:
    rollouts = Rollouts()
    assert await register(rollouts).take("shop", release) is Taken.DURABLE
    assert rollouts.begun == [("shop", [step], START)]


async def test_what_is_not_durable_yet_is_told_as_that() -> None:
    rollouts = Rollouts()
    rollouts.durable = False
    assert await register(rollouts).take("shop", Release()) is Taken.IN_MEMORY


async def test_who_does_not_lead_takes_nothing() -> None:
    rollouts = Rollouts()
    assert await register(rollouts, leads=False).take("shop", Release("2")) is Taken.ELSEWHERE
    assert rollouts.begun == []
