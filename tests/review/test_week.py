"""How a week reads: short, however much happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.incidents import Incident
from monitor.message import as_text, message_of
from monitor.model import (
    OURS,
    AlertKey,
    Attempt,
    AttemptResult,
    CheckId,
    Delivery,
    Dispatch,
    Event,
    EventKind,
    Notification,
    Page,
    Severity,
)
from monitor.review.noise import pagers, rang
from monitor.review.week import Proposal, Refused, Week, as_lines, steps, summary, sums, title
from monitor.uptime import Uptime
from tests.examples import notification
from tests.fakes import START

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOISY = 8


def incident(check: int, number: int, *, taken: bool = False, **fields: object) -> Incident:
    """Return one that a channel accepted and that was over after 5 minutes."""
    key = AlertKey(CheckId("shop", f"check-{check:02}"), "down")
    at = START + number * HOUR
    note = replace(notification(str(check)), key=key, at=at, **fields)  # type: ignore[arg-type] # its fields
    told = Dispatch(note, (Attempt(note.id, at, AttemptResult.DELIVERED),))
    acts = (Event(key, at + MINUTE, EventKind.ACKNOWLEDGED, detail="ana until 2026-01-05 16:00 UTC"),) if taken else ()
    return Incident(key, "", at, at + 5 * MINUTE, resolved=True, changes=acts, messages=(told,))


def busy() -> Week:
    """Return a week in which everything happened too often."""
    found = [incident(check, number) for check in range(NOISY) for number in range(3 + check)]
    many = {f"system-{n:02}": Uptime(HOUR * (n + 1), HOUR) for n in range(12)}
    names = [f"{'x' * 40}-{n}" for n in range(9)]
    proposals = {f"shop/check-{n:02} down": Proposal("down: {critical: 3}", "down: {critical: 9}", 3) for n in range(8)}
    return Week(
        START - timedelta(days=7),
        START,
        found,
        proposals,
        flapped={AlertKey(CheckId("shop", name), "down"): 2 for name in names},
        silenced=dict.fromkeys(names, timedelta(days=5)),
        escalated=4,
        rejected={name: Refused(7, "reason " * 50) for name in names},
        uptime=many,
        cut=True,
    )


def test_it_fits_a_phone_however_much_happened() -> None:
    """Of each list some are named, and the others counted; the summary is not cut by the message."""
    week = busy()
    told = summary(week)
    assert len(told) <= 1_000
    assert "and 7 more" in told
    assert "Uptime: system-00 50.000 %, system-01 66.666 %" in told
    assert told.endswith("and 5 more.")
    names = {f"{'y' * 900}-{n}": Refused(1, "") for n in range(9)}
    assert "Messages rejected: 9." in summary(replace(week, rejected=names))
    assert "Paged most: shop/check-07 down 10, shop/check-06 down 9, shop/check-05 down 8 and 5 more." in sums(week)
    found = steps(week)
    assert len(found) == 6
    assert found[0].startswith("shop/check-07 down paged 10 times and nobody took it; 5 min at the median.")
    assert found[-1] == "3 more rules paged three times or more without being taken."


def test_the_message_has_all_of_it() -> None:
    week = busy()
    page = Page(title(START), summary(week), OURS, "review", "review", remedy=tuple(steps(week)))
    key = AlertKey(CheckId(OURS, "review"), "review")
    note = Notification("n", "ops", "i", key, EventKind.REPORTED, Severity.INFO, START, page, quiet=True)
    text = as_text(message_of(Delivery("d", (note,))))
    assert text.startswith("Info: The week from 29 Dec to 5 Jan, at 12:00 UTC. Do: shop/check-07 down paged")
    assert "Silent for most of it" in text
    assert "`down: {critical: 9}` in place of `down: {critical: 3}`" in text
    assert len(text) < 3_500


def test_what_was_taken_counts() -> None:
    week = Week(START, START, [incident(1, 1, taken=True), incident(1, 2), incident(2, 3)])
    assert sums(week) == [
        "3 pages by 2 rules: 1 taken after 1 min on average, 2 not. Resolved after 5 min on average.",
        "Paged most: shop/check-01 down 2.",
    ]


def test_one_page_reads_as_one_and_what_goes_on_is_said() -> None:
    going = replace(incident(1, 1), goes_on=True, ended_at=None, resolved=False)
    assert sums(Week(START, START, [going])) == ["1 page by 1 rule: 0 taken, 1 not.", "1 still fires."]


def test_what_rang_nobody_is_no_page() -> None:
    """A digest, a quiet message, an end, and what no channel accepted."""
    assert rang(incident(1, 1))
    assert rang(incident(1, 1, batch="within"))
    assert not rang(incident(1, 1, batch="digest 09:00"))
    assert not rang(incident(1, 1, quiet=True))
    assert not rang(incident(1, 1, kind=EventKind.RESOLVED))
    lost = incident(1, 1)
    assert not rang(replace(lost, messages=tuple(replace(one, attempts=()) for one in lost.messages)))
    assert pagers([incident(1, 1, quiet=True)]) == []


def test_a_terminal_shows_the_same_with_its_steps_numbered() -> None:
    lines = as_lines(busy())
    assert lines[0] == ("The week from 29 Dec to 5 Jan", "")
    assert [line[:3] for line, severity in lines if severity] == ["1. ", "2. ", "3. ", "4. ", "5. ", "6. "]


def test_what_was_judged_only_in_part_says_so() -> None:
    found = [incident(1, number) for number in range(3)]
    week = Week(START, START, found, {"shop/check-01 down": Proposal("a", "b", 2)})
    assert steps(week)[0].endswith("It would have stayed silent with `b` in place of `a` (judged again: 2 of 3).")
