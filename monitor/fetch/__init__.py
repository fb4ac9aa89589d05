"""One HTTP exchange on a fresh connection, measured.

A client of our own on asyncio: the CPU that a probe costs is what a monitoring daemon's size is made of, and a general
client costs three times as much and hides the phases.
"""

from monitor.fetch.exchange import Exchange, Options
from monitor.fetch.request import Request, header_fault

__all__ = ["Exchange", "Options", "Request", "header_fault"]
