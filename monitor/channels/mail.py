"""How a delivery looks as a mail: one subject and one thread per alert, for as long as there is the alert.

The subject never changes, so the severity stands in the first line and in `X-Monitor-Severity`. `References` names a
root that follows from the alert alone; `Message-ID` follows from the delivery, so that a repeated mail is the same
mail, which many servers drop by themselves. A mail about several alerts is in no thread: it would tie theirs together.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Annotated

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import AfterValidator
from yarl import URL

from monitor.message import as_text, message_of, more_text
from monitor.model import Severity
from monitor.plain import cut, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.message import Message
    from monitor.model import Delivery

LONGEST_SUBJECT = 200
COLOURS = {Severity.CRITICAL: "#c62828", Severity.WARNING: "#ef6c00", Severity.INFO: "#1565c0", None: "#2e7d32"}

MAILBOX = re.compile(r"""[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\"]+""")

_PAGE = Environment(
    loader=PackageLoader("monitor.channels", "."), autoescape=True, undefined=StrictUndefined
).get_template("email.html")


def _mailbox(text: str) -> str:
    """Return an address with its domain as DNS spells it."""
    if not MAILBOX.fullmatch(text) or plain(text) != text:
        raise ValueError("must be an address such as oncall@example.com, without a name")
    local, _, domain = text.partition("@")
    return f"{local}@{URL.build(scheme='smtp', host=domain).raw_host}"


Mailbox = Annotated[str, AfterValidator(_mailbox)]
"""The address of one person, without a name."""


def mail_of(delivery: Delivery, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Return `delivery` as a mail with a text and an HTML part; addresses are `name@host`, already checked."""
    message = message_of(delivery)
    first = delivery.notifications[0]
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(sender, "Monitor")
    mail["To"] = [_address(recipient) for recipient in recipients]
    mail["Subject"] = subject = cut(message.headline if message.collected else plain(first.page.title), LONGEST_SUBJECT)
    mail["Date"] = format_datetime(max(one.at for one in delivery.notifications))
    mail["Message-ID"] = f"<{delivery.id}@{domain}>"
    if not message.collected:
        mail["In-Reply-To"] = mail["References"] = f"<alert.{first.key.fingerprint}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Monitor-Severity"] = str(delivery.severity)
    mail["X-Monitor-Status"] = "firing" if message.severity else "resolved"
    if any(one.severity is Severity.CRITICAL and not one.quiet for one in delivery.notifications):
        mail["Importance"] = "high"
        mail["X-Priority"] = "1"
    mail.set_content(as_text(message))
    mail.add_alternative(_html(message, subject), subtype="html")
    return mail


def _address(mailbox: str, name: str = "") -> Address:
    # Not `addr_spec`: Python takes a user beyond ASCII for a defect there, though SMTPUTF8 carries it.
    user, _, domain = mailbox.rpartition("@")
    return Address(name, user, domain)


def _html(message: Message, subject: str) -> str:
    return _PAGE.render(message=message, subject=subject, more=more_text(message), colour=COLOURS[message.severity])
