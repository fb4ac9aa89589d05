"""The look itself: the page, what tells of health, metrics, how it is reached, then samples of what was found."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.model import Failure, Reason
from monitor.platforms import platform_behind, platform_in, platform_of
from monitor.survey.address import is_number
from monitor.survey.asking import AT_ONCE, Asker
from monitor.survey.facts import common
from monitor.survey.families import LARGEST, families, is_metrics
from monitor.survey.found import CLOSED, NothingToWatch, Samples, Survey, Transport
from monitor.survey.health import MISSING, MOST, PATHS, WEB_PAGE, facts, is_success, place, same, tells
from monitor.survey.scalars import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from yarl import URL

    from monitor.answer import Answer
    from monitor.clock import Clock
    from monitor.survey.asking import Means, Seen
    from monitor.survey.facts import Facts
    from monitor.survey.found import Place

    Tell = Callable[[str], None]

FOR_A_PATH = timedelta(seconds=5)
FOR_PATHS = timedelta(seconds=20)
"""From the first of the common addresses to the last that is tried."""
FOR_SAMPLES = timedelta(seconds=30)
SPACING = timedelta(milliseconds=100)
ADVICE = {
    Reason.DNS: "See whether the name is written right, and whether its record is there.",
    Reason.REFUSED: "Nothing listens there: is it running, and on this port?",
    Reason.TIMEOUT: "See that it runs, and that nothing in between drops what we send.",
    Reason.TLS_INVALID: "If its authority is your own, give --ca-file.",
    Reason.TLS_EXPIRED: "Renew the certificate first.",
    Reason.PROTOCOL: "Is it http:// rather than https://, or another port?",
}
"""What to look at first, by the reason why nothing answered."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked at: an address, how many samples are taken, and a file of certificates to trust besides."""

    url: URL
    samples: int = 20
    ca_file: str = ""


async def look(wish: Wish, means: Means, clock: Clock, tell: Tell) -> Survey:
    """Return what is found at an address; `tell` hears what is being done.

    Raises `NothingToWatch` where nothing answers, or nothing that could be watched.
    """
    asker = Asker(means, wish.ca_file)
    tell(f"looking at {wish.url}")
    first = await asker.ask(wish.url)
    if first.answer is None:
        raise NothingToWatch(_no_answer(wish.url, first.failure))
    asker.came_from = first.address
    base, leads_to = _base(wish.url, first.answer)
    tell("trying the usual addresses of health and metrics")
    missing = await asker.ask(base.with_path(MISSING), within=FOR_A_PATH)
    tried = await _tried(asker, base, clock)
    scraped = await asker.ask(base.with_path("/metrics"), within=FOR_A_PATH, longest=LARGEST)
    survey = Survey(
        asked=wish.url,
        on=clock.now().date(),
        page=_page(base, first.answer),
        transport=await _transport(asker, means, base, first, clock),
        health=tuple(_health(tried, missing.answer)),
        metrics=_metrics(scraped, missing.answer),
        leads_to=leads_to,
        ca_file=wish.ca_file,
        notes=tuple(_notes(first.answer, missing, tried)),
    )
    if survey.metrics and scraped.answer:
        survey = replace(survey, families=families(scraped.answer.text))
    _look_for_something(survey, first.answer)
    return await _sampled(survey, wish.samples, asker, clock, tell)


def _no_answer(url: URL, failure: Failure | None) -> str:
    why = failure or Failure(Reason.UNKNOWN, "no answer")
    advice = ADVICE.get(why.reason, "")
    return " ".join(filter(None, (f"{url} cannot be looked at: {why.reason}: {clean(why.detail)}.", advice)))


def _base(asked: URL, answer: Answer) -> tuple[URL, str]:
    """Return the address that will be watched, and where a redirect leads that leaves the host for good.

    What a redirect has added as a query is not kept: it may say who asks.
    """
    final = answer.url
    if not answer.redirects:
        return asked, ""
    hosts = {host.removeprefix("www.") for host in (asked.host or "", final.host or "")}
    if len(hosts) > 1:
        return asked, str(final.origin())
    return (asked, "") if final.query_string else (final.with_fragment(None), "")


def _page(url: URL, answer: Answer) -> Place | None:
    return place(url, answer) if is_success(answer) or answer.status in CLOSED else None


async def _tried(asker: Asker, base: URL, clock: Clock) -> list[Seen]:
    """Return what the usual addresses of health say, in their order, as far as there is time."""
    late = clock.now() + FOR_PATHS

    async def ask(path: str) -> Seen | None:
        return await asker.ask(base.with_path(path), within=FOR_A_PATH) if clock.now() < late else None

    asked = [path for path in PATHS if path != base.path.rstrip("/")]
    found: list[Seen] = []
    for start in range(0, len(asked), AT_ONCE):
        found += filter(None, await asyncio.gather(*map(ask, asked[start : start + AT_ONCE])))
    return found


def _health(tried: Iterable[Seen], missing: Answer | None) -> list[Place]:
    """Return the addresses of health that tell different things, those that tell most first."""
    chosen: list[tuple[Place, Answer]] = []
    for seen in tried:
        if seen.answer is None or not tells(seen.answer, seen.url, missing):
            continue
        found = place(seen.url, seen.answer)
        for number, (other, answer) in enumerate(chosen):
            if same(seen.answer, seen.url.path, answer, other.url.path):
                chosen[number] = (replace(other, aliases=(*other.aliases, seen.url.path)), answer)
                break
        else:
            chosen.append((found, seen.answer))
    return [found for found, _ in chosen[:MOST]]


def _metrics(seen: Seen, missing: Answer | None) -> Place | None:
    answer = seen.answer
    if answer is None or answer.status != HTTPStatus.OK or answer.media_type in WEB_PAGE:
        return None
    if not is_metrics(answer.text) or (missing and same(answer, seen.url.path, missing, MISSING)):
        return None
    return place(seen.url, answer)


async def _transport(asker: Asker, means: Means, base: URL, first: Seen, clock: Clock) -> Transport:
    host, answer = base.raw_host or "", first.answer
    cname, addresses = await _names(means, host)
    shown = first.certificate
    found = Transport(addresses, cname, platform_of(host) or platform_behind(cname))
    found = replace(found, plain=await _plain(asker, base), platform=_platform(found.platform, answer))
    if shown is None:
        return found
    left = (shown.expires - clock.now()).days
    return replace(found, expires=left, issuer=clean(shown.issuer, 100))


def _platform(told: str, answer: Answer | None) -> str:
    return told or (platform_in(answer.headers) if answer else "")


async def _names(means: Means, host: str) -> tuple[str, tuple[int, int]]:
    """Return the alias that a name is, and how many IPv4 and IPv6 addresses it has."""
    counts = []
    for family in ("ipv4", "ipv6"):
        try:
            counts.append(len(await means.resolver.addresses(host, family)))
        except Failure:
            counts.append(0)
    alias = ""
    if "." in host and not is_number(host):
        try:
            alias, *_ = await means.resolver.records(host, "CNAME")
        except Failure:
            alias = ""
    return clean(alias, 100), (counts[0], counts[1])


async def _plain(asker: Asker, base: URL) -> str:
    """Return what becomes of whoever comes without TLS: `redirected`, `answered` or `refused`; empty: not asked."""
    if base.scheme != "https" or not base.is_default_port():
        return ""
    seen = await asker.ask(base.with_scheme("http").with_port(None), within=FOR_A_PATH, redirects=0)
    if seen.answer is None:
        return "refused"
    try:
        location = seen.answer.location
    except ValueError:
        location = None
    to_tls = location is not None and location.scheme == "https" and location.host == base.host
    return "redirected" if to_tls else "answered"


def _notes(first: Answer, missing: Seen, tried: Sequence[Seen]) -> list[str]:
    found = []
    if missing.answer and is_success(missing.answer):
        found.append(
            f"An address that surely does not exist answers {missing.answer.status} as well: a 200 says little here, "
            "and what looks like the page was taken for no health address."
        )
    closed = [seen.url.path for seen in tried if seen.answer and seen.answer.status in CLOSED]
    if closed and (missing.answer is None or missing.answer.status not in CLOSED):
        found.append(f"Something stands at {', '.join(closed)} that wants to know who asks.")
    ill = [seen for seen in tried if seen.answer and seen.answer.status == HTTPStatus.SERVICE_UNAVAILABLE]
    if ill and (missing.answer is None or missing.answer.status != HTTPStatus.SERVICE_UNAVAILABLE):
        paths = ", ".join(seen.url.path for seen in ill)
        found.append(f"{paths} answered 503: if that is its health, it is not well now. Run this again when it is.")
    if any(seen.answer and seen.answer.status == HTTPStatus.TOO_MANY_REQUESTS for seen in (missing, *tried)):
        found.append("It answered 429, too many requests: let it except the monitor's address.")
    if len(tried) < len(PATHS) - 1:
        found.append("It answers so slowly that not all usual addresses of health were tried.")
    if first.truncated:
        found.append("The page is longer than 1 MiB, of which no more is read.")
    return found


def _look_for_something(survey: Survey, answer: Answer) -> None:
    if survey.page or survey.health or survey.families:
        return
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        text = f"{survey.asked} answers {answer.status}: it is not well now. Run this again when it is."
    else:
        text = (
            f"{survey.asked} answers {answer.status}, and so do the usual addresses of health: give one that answers."
        )
    raise NothingToWatch(text)


async def _sampled(survey: Survey, count: int, asker: Asker, clock: Clock, tell: Tell) -> Survey:
    """Return the survey with samples of all that it has found."""
    places = [found for found in (survey.page, *survey.health, survey.metrics) if found]
    taken: dict[URL, list[Seen]] = {found.url: [] for found in places}
    late = clock.now() + FOR_SAMPLES
    for number in range(count):
        tell(f"sample {number + 1} of {count}")
        for url, seen in taken.items():
            if clock.now() >= late:
                break
            seen.append(await asker.ask(url))
            await clock.sleep_until(clock.now() + SPACING)
    judged = {found.url: _judged(found, taken[found.url]) for found in places}
    return replace(
        survey,
        page=judged[survey.page.url] if survey.page else None,
        health=tuple(judged[found.url] for found in survey.health),
        metrics=judged[survey.metrics.url] if survey.metrics else None,
    )


def _judged(found: Place, seen: Sequence[Seen]) -> Place:
    """Return a place with what its samples were like, and without what they do not have in common."""
    fitting = [each.answer for each in seen if each.answer and each.answer.status == found.status]
    others = Counter(
        str(each.answer.status) if each.answer else str(each.failure.reason if each.failure else "")
        for each in seen
        if not (each.answer and each.answer.status == found.status)
    )
    steady = all(answer.media_type == found.media_type for answer in fitting)
    texts = {answer.text.strip() for answer in fitting}
    return replace(
        found,
        samples=Samples(tuple(answer.took.total_seconds() for answer in fitting), dict(others)),
        media_type=found.media_type if steady else "",
        text=found.text if texts <= {found.text} else "",
        facts=_common(found.facts, fitting),
    )


def _common(said: Facts | None, answers: Iterable[Answer]) -> Facts | None:
    for answer in answers:
        again = facts(answer)
        if said is None or again is None:
            return None
        said = common(said, again)
    return said
