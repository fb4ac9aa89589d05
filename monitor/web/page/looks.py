"""How values look on a page: moments, conditions, strips. Everything else is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor.plain import plain
from monitor.units import show_duration
from monitor.web.page import addresses
from monitor.web.page.strip import strip
from monitor.wording import journal, outcome

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta

    from monitor.uptime import Uptime
    from monitor.view import Condition, FigureView

MOMENT = Markup('<time datetime="{:%Y-%m-%dT%H:%M:%SZ}"{}>{}</time>')


def moment(at: datetime) -> Markup:
    """Return date and time, in UTC."""
    return MOMENT.format(at, "", f"{at:%Y-%m-%d %H:%M:%S}")


def minute(at: datetime) -> Markup:
    """Return date and time to the minute, in UTC."""
    return MOMENT.format(at, "", f"{at:%b %-d, %H:%M}")


def ago(at: datetime, today: date) -> Markup:
    """Return a moment that the script turns into `12 s ago`: its time in UTC, with the day if not `today`."""
    text = f"{at:%H:%M:%S}" if at.date() == today else f"{at:%b %-d, %H:%M}"
    return MOMENT.format(at, Markup(" data-ago"), text)


def lasting(span: timedelta) -> str:
    """Return a duration for people."""
    return show_duration(span.total_seconds())


def series(figure: FigureView) -> str:
    """Return what a figure is called: `connections (active)` where there are several of its name."""
    labels = ", ".join(value for _, value in figure.labels)
    return f"{figure.name} ({labels})" if labels else figure.name


def words(reason: str) -> str:
    """Return a word of a closed list as people write it: `rate limited`."""
    return reason.replace("_", " ")


def badge(condition: Condition) -> Markup:
    """Return a condition in its word, shape and colour."""
    return Markup('<span class="badge {}">{}</span>').format(name_of(condition), condition)


def name_of(condition: Condition) -> str:
    """Return the class of a condition in the style sheet."""
    return condition.replace(" ", "-")


def share(uptime: Uptime) -> str:
    """Return an uptime as narrow as it may be: `100 %`, `99.98 %`, `–`; rounded down."""
    text = str(uptime)
    if uptime.ratio is None:
        return "–"
    return f"{text.removesuffix(' %').rstrip('0').rstrip('.')} %"


def environment() -> Environment:
    """Return what makes pages of our templates."""
    made = Environment(
        loader=PackageLoader("monitor.web.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "ago": ago,
        "badge": badge,
        "class": name_of,
        "lasting": lasting,
        "journal": journal,
        "minute": minute,
        "moment": moment,
        "of_check": addresses.of_check,
        "of_incident": addresses.of_incident,
        "of_system": addresses.of_system,
        "outcome": outcome,
        "plain": plain,
        "series": series,
        "share": share,
        "strip": strip,
        "words": words,
    }
    return made
