"""What a status page says, whoever made it: components, incidents, maintenances. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State
from monitor.vendors.pause import EPOCHS_FROM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.vendors import Found


class Impact(enum.IntEnum):
    """How bad something is, in the words that most pages share."""

    NONE = 0
    MINOR = 1
    MAJOR = 2
    CRITICAL = 3

    def __str__(self) -> str:
        return self.name.lower()


class Component(NamedTuple):
    """A part of what the vendor offers. `maintained`: it is under maintenance, which is no incident."""

    name: str
    impact: Impact
    maintained: bool = False


class Incident(NamedTuple):
    """What is wrong at the vendor. `components`: those that it names. `since`: None where the page does not say."""

    title: str
    impact: Impact
    since: datetime | None = None
    components: frozenset[str] = frozenset()


class Maintenance(NamedTuple):
    """What was announced. `begins` is None where the page does not say."""

    title: str
    begun: bool
    begins: datetime | None = None
    components: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatusPage:
    """All of it. `impact` is the vendor's own summary. `partial`: components that are well are not all listed.

    `chosen`: what concerns some components only.
    """

    impact: Impact
    components: Sequence[Component] = ()
    incidents: Sequence[Incident] = ()
    maintenances: Sequence[Maintenance] = ()
    partial: bool = False
    chosen: bool = False

    def narrowed(self, names: Sequence[str]) -> StatusPage:
        """Return what concerns the components of these names, however they are capitalised.

        Incidents that name no component concern the page as a whole. Raises `Failure` (missing, unknown) if the page
        lists all its components, and none of such a name.
        """
        wanted = {folded(name) for name in names}
        components = [each for each in self.components if folded(each.name) in wanted]
        lacking = wanted - {folded(each.name) for each in components}
        if lacking and not self.partial:
            listed = ", ".join(repr(name) for name in names if folded(name) in lacking)
            raise Failure(Reason.MISSING, f"the status page has no component {listed}: was it renamed?", State.UNKNOWN)
        incidents = [each for each in self.incidents if touches(each.components, wanted)]
        maintenances = [each for each in self.maintenances if touches(each.components, wanted)]
        return StatusPage(Impact.NONE, components, incidents, maintenances, chosen=True)

    def impact_on(self, name: str) -> Impact:
        """Return how bad it is for the component of that name, by its own state and by the incidents that name it."""
        wanted = {folded(name)}
        own = (each.impact for each in self.components if folded(each.name) in wanted)
        told = (each.impact for each in self.incidents if touches(each.components, wanted))
        return max((*own, *told), default=Impact.NONE)

    @property
    def worst(self) -> Impact:
        """Return the worst of the vendor's own summary and of the incidents; of components where they were chosen."""
        chosen = (each.impact for each in self.components if self.chosen)
        return max((self.impact, *chosen, *(each.impact for each in self.incidents)))


def folded(name: str) -> str:
    """Return how names are compared: without capitals and outer spaces."""
    return name.strip().casefold()


def touches(components: frozenset[str], wanted: set[str]) -> bool:
    """Return whether any of `components` is one of the folded names."""
    return any(folded(name) in wanted for name in components)


def one_of(found: Found, words: Mapping[str, Impact]) -> Impact:
    """Return what a page's word means; raises `Failure` (protocol, unknown) for one that we do not know."""
    word = found.text.strip()
    if word not in words:
        text = f"expected one of {', '.join(words)} on the status page, got {word!r}"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return words[word]


def moment(found: Found | None) -> datetime | None:
    """Return the moment that a page writes, None if it writes none or something else: it is shown, nothing more."""
    match found.value if found else None:
        case str() as text:
            try:
                read = datetime.fromisoformat(text)
            except ValueError:
                return None
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
        case int() | float() as number if EPOCHS_FROM <= number < 4 * EPOCHS_FROM:
            return datetime.fromtimestamp(number, UTC)
        case _:
            return None


def elements(found: Found, key: str) -> Sequence[Found]:
    """Return what the list under `key` holds; nothing where there is none, as some pages leave empty lists out."""
    listed = found.get(key)
    return list(listed) if listed else []


def names(found: Sequence[Found], key: str = "name") -> frozenset[str]:
    """Return the names of what a page lists."""
    return frozenset(each[key].text for each in found)
