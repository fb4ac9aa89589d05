"""How one notification reads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from monitor.message.words import ENDED, LONGEST_TITLE, as_of, headline, name_of, notes, when
from monitor.plain import plain, plain_lines, safe_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.model import Notification, Page, Severity

LONGEST_SUMMARY = 1_000
LONGEST_SUMMARY_COLLECTED = 300
LONGEST_FACT = 300
LONGEST_STEP = 20_000
LONGEST_STEP_COLLECTED = 300
LONGEST_ANSWER = 300
MOST_STEPS = 50
MOST_STEPS_COLLECTED = 3
MOST_BESIDE = 5
MOST_LINKS = 5
LONGEST_FIRST_STEP = 140
FOUND = "→"
"""What an answer begins with, below its step."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How one notification reads. `name` is short (`shop/site down`), `when` a phrase, `notes` what is unusual here.

    A step whose question was answered has the answer in a line below it.
    """

    severity: Severity
    ended: bool
    headline: str
    when: str
    name: str
    notes: tuple[str, ...] = ()
    summary: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    steps: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def lead(self) -> str:
        """Return the line to read if only one is read: what, how bad, since when, what to do first."""
        return f"{self.line} Do: {plain(self.steps[0], LONGEST_FIRST_STEP)}" if self.steps else self.line

    @property
    def line(self) -> str:
        """Return one line without the remedy."""
        return f"{self.headline}, {self.when}."


def entry_of(notification: Notification, *, short: bool) -> Entry:
    """Return how `notification` reads; `short`: beside others."""
    page, ended = notification.page, notification.kind in ENDED
    return Entry(
        severity=notification.severity,
        ended=ended,
        headline=headline(notification),
        when=when(notification),
        name=name_of(page),
        notes=notes(notification),
        summary=plain(page.summary, LONGEST_SUMMARY_COLLECTED if short else LONGEST_SUMMARY),
        facts=tuple(_facts(notification, () if short else page.beside)),
        steps=() if ended else steps_of(page, short=short),
        links=safe_links(page.links)[:MOST_LINKS],
    )


def steps_of(page: Page, *, short: bool = False) -> tuple[str, ...]:
    """Return the steps of the remedy, cleaned, each with what it found out by itself."""
    longest, most = (LONGEST_STEP_COLLECTED, MOST_STEPS_COLLECTED) if short else (LONGEST_STEP, MOST_STEPS)
    told = zip_longest(page.remedy[:most], page.answers[: len(page.remedy[:most])], fillvalue="")
    cleaned = ((plain_lines(step, longest), plain(answer, LONGEST_ANSWER)) for step, answer in told)
    return tuple(f"{step}\n{FOUND} {answer}" if answer else step for step, answer in cleaned if step)


def _facts(notification: Notification, beside: Sequence[str]) -> Iterable[tuple[str, str]]:
    page = notification.page
    titles = [plain(title, LONGEST_TITLE) for title in beside[:MOST_BESIDE]]
    if len(beside) > MOST_BESIDE:
        titles.append(f"{len(beside) - MOST_BESIDE} more")
    facts = (
        ("Value", plain(page.value, LONGEST_FACT)),
        ("Figure", plain(page.figure, LONGEST_FACT)),
        ("Last hour", plain(page.trend, LONGEST_FACT)),
        ("At that time", "; ".join(titles)),
        ("Alert", f"{name_of(page)}, {as_of(notification)}"),
    )
    return (fact for fact in facts if fact[1])
