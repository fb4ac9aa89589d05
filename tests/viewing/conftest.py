"""The stores that views are read from."""

from tests.store.conftest import address, address_of, databases, store

__all__ = ["address", "address_of", "databases", "store"]
