"""An instance that leads when it may and writes then, all the time; run by `test_lease_processes`.

Arguments: the store's address and a name. It says what it does, a line each: `waits`, `leads`, `wrote <number>`,
`away`, and `lost`, with which it ends. SIGTERM lets it close the store.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from monitor.model import Change
from monitor.store import LEASE_POLL, LEASE_RENEWAL, LeaseLost, Store, StoreUnavailable, open_store
from tests.store.values import note

PAUSE = 0.01


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def leads(store: Store) -> bool:
    """Return whether we lead; a leader that stands still within a transaction keeps us from it for a while."""
    try:
        leading = await store.lead()
    except StoreUnavailable:
        leading = False
        say("away")
    else:
        if not leading:
            say("waits")
    return leading


async def work(store: Store, name: str) -> None:
    """Wait for the lease, then write and renew it for ever."""
    while not await leads(store):  # noqa: ASYNC110 - what is waited for is in a database
        await asyncio.sleep(LEASE_POLL.total_seconds())
    say("leads")
    loop = asyncio.get_running_loop()
    renewal, number = loop.time() + LEASE_RENEWAL.total_seconds(), 0
    while True:
        try:
            if loop.time() >= renewal:
                renewal = loop.time() + LEASE_RENEWAL.total_seconds()
                await store.lead()
            await store.write([Change(owed=(note(f"{name} {number}"),))])
            say("wrote", number)
            number += 1
        except StoreUnavailable:
            say("away")
        await asyncio.sleep(PAUSE)


async def main(address: str, name: str) -> None:
    """Work until SIGTERM, or until another has taken over."""
    store = await open_store(address)
    working = asyncio.create_task(work(store, name))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    try:
        await working
    except LeaseLost:
        say("lost")
    except asyncio.CancelledError:
        say("ends")
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
