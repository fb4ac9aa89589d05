"""The accounts of all keys that are in use: made once at start, shared by every check, lost with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.vendors.account import Account
from monitor.vendors.purse import Purse

if TYPE_CHECKING:
    from monitor.clock import Clock
    from monitor.vendors.vendor import Access


class Accounts:
    """An account for each key that was ever used. `clock` is what pauses are counted with."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._accounts: dict[str, Account] = {}
        self._purses: dict[str, Purse] = {}

    def of(self, access: Access) -> Account:
        """Return the account of a key."""
        purse = self._purses.setdefault(access.purse, Purse(access.vendor.limit, access.vendor.share))
        return self._accounts.setdefault(access.name, Account(purse))
