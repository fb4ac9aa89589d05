"""What systems, checks, channels and variables may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.config.variables import NAME

if TYPE_CHECKING:
    from monitor.config.section import Context, Section
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.plan import Plan

NAMED = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
NAMING = "a name begins with a-z or 0-9 and goes on with those, - and _, 63 characters at most"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check (`system/check`) or a channel (its name) that the configuration holds and does not use, and why.

    `spare`: a channel that only hears of what escalates. `plan` is a check as it would run; what stands in it for
    variables that are not set means nothing.
    """

    name: str
    reason: str
    spare: bool = False
    plan: Plan | None = field(default=None, compare=False)


def look_at_name(document: Document, path: KeyPath, name: object, context: Context) -> None:
    """Note a fault when `name`, which stands at `path`, could not be a label or a part of an address."""
    if name is None:
        context.faults.append(document.fault(path, "has no value", NAMING))
    elif not isinstance(name, str) or not NAMED.fullmatch(name):
        context.faults.append(document.fault(path, f"{name!r} is not a name", NAMING))


def look_at_condition(section: Section, if_set: str) -> None:
    """Note a fault when `if_set` is not the name of a variable."""
    if if_set and not NAME.fullmatch(if_set):
        section.fault(
            ("if_set",), f"{if_set!r} is not the name of a variable", "write the name alone, such as API_TOKEN"
        )
