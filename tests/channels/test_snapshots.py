"""How each sort of message looks in each medium, as files that a change in words or form shows up in.

`python -m tests.channels.test_snapshots` writes them anew; look at what changed before you commit it.
"""

from __future__ import annotations

import asyncio
import json
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.channels.base import Delivered, Resources, deliver
from monitor.channels.posting import open_session
from monitor.message import as_text, message_of
from monitor.network import Resolver, TlsContexts
from monitor.secrets import Redactor
from tests.channels.deliveries import DELIVERIES
from tests.channels.examples import NOW
from tests.channels.rigs import RIGS, standing
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from tests.channels.rigs import Rig

FOLDER = Path(__file__).parent / "snapshots"
SHOWN = 3
"""How many of a storm's alerts a snapshot shows where each is a record of its own."""
ALIKE = {"resend", "apprise"}
"""They send what e-mail sends, and the plain text."""
MEDIA = [name for name in RIGS if name not in ALIKE]


def place(name: str, medium: str) -> Path:
    """Return the file in which it stands how a delivery looks in a medium."""
    return FOLDER / name / f"{medium.replace(' ', '-')}.txt"


def snapshot(arrived: Any) -> str:  # noqa: ANN401 - a form, a mail or any JSON value
    """Return what arrived as text that people can read, and that a line of a difference is worth something in."""
    if isinstance(arrived, EmailMessage):
        head = "\n".join(f"{name}: {value}" for name, value in arrived.items() if name != "Content-Type")
        text, html = (part.get_content().replace("\r\n", "\n") for part in arrived.iter_parts())
        return f"{head}\n\n{text}\n{'-' * 72}\n{html}"
    return f"{json.dumps(shortened(arrived), indent=1, ensure_ascii=False)}\n"


def shortened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return `value` with lists of records cut after the first few."""
    if isinstance(value, dict):
        return {name: shortened(one) for name, one in value.items()}
    if isinstance(value, list) and len(value) > 100:
        return [*value[:SHOWN], f"and {len(value) - SHOWN} more"]
    return value


async def rendered(rig: Rig, name: str, resources: Resources) -> str:
    """Return how a delivery arrives in a medium, held against its limits."""
    async with standing(rig) as (channel, peer):
        assert isinstance(await deliver(channel, DELIVERIES[name], resources), Delivered)
        arrived = rig.arrived(peer)
        for one in arrived:
            rig.check(one)
    return "\n".join(map(snapshot, arrived if len(arrived) < 100 else arrived[:SHOWN]))


@pytest.mark.parametrize("name", DELIVERIES)
@pytest.mark.parametrize("medium", MEDIA)
async def test_it_looks_as_it_did(medium: str, name: str, resources: Resources) -> None:
    wanted = place(name, medium).read_text("utf-8")
    assert await rendered(RIGS[medium], name, resources) == wanted


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_plain_text_is_as_it_was(name: str) -> None:
    assert as_text(message_of(DELIVERIES[name])) == (FOLDER / name / "text.txt").read_text("utf-8")


def test_there_is_no_snapshot_of_what_is_gone() -> None:
    files = {f"{path.parent.name}/{path.stem}" for path in FOLDER.glob("*/*")}
    places = [place(name, medium) for name in DELIVERIES for medium in (*MEDIA, "text")]
    assert files == {f"{path.parent.name}/{path.stem}" for path in places}


async def write() -> None:
    """Write every snapshot as it is now."""
    resolver, tls = Resolver(), TlsContexts()
    async with open_session(resolver, tls) as session:
        resources = Resources(session, resolver, tls, Redactor(), FakeClock(NOW))
        for name, one in DELIVERIES.items():
            folder = FOLDER / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "text.txt").write_text(as_text(message_of(one)), "utf-8")
            for medium in MEDIA:
                text = await rendered(RIGS[medium], name, resources)
                place(name, medium).write_text(text, "utf-8")
    await resolver.close()


if __name__ == "__main__":
    asyncio.run(write())
