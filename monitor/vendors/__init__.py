"""APIs of vendors as probes see them: questions and answers in JSON, paced for each key, and read with care.

Whatever a vendor does wrong, and whatever it does not let us see, is unknown: it says nothing of the product.
"""

from monitor.vendors.account import Account, is_fault
from monitor.vendors.accounts import Accounts
from monitor.vendors.address import Base, BaseIfAny
from monitor.vendors.api import Api, Reply
from monitor.vendors.found import Found
from monitor.vendors.key import Key
from monitor.vendors.pages import Page, Pages, read_pages
from monitor.vendors.reading import TooLong
from monitor.vendors.vendor import SHARE, Access, Limit, Vendor

__all__ = [
    "SHARE",
    "Access",
    "Account",
    "Accounts",
    "Api",
    "Base",
    "BaseIfAny",
    "Found",
    "Key",
    "Limit",
    "Page",
    "Pages",
    "Reply",
    "TooLong",
    "Vendor",
    "is_fault",
    "read_pages",
]
