"""What a file holds around its checks and channels: the YAML models of systems and limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from monitor.config.drills import DrillFields
from monitor.config.maintenance import MaintenanceFields
from monitor.config.routes import Day, DigestText, FlappingFields, Names, RouteFields
from monitor.fields import Fields, PositiveDuration, Size, Zone
from monitor.routing import parse_digest
from monitor.secrets import Secret
from monitor.units import Unit, parse_quantity


def _share(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a share needs its sign, such as 20%")  # noqa: TRY004 - pydantic tells only ValueError
    return parse_quantity(value, Unit.RATIO)


def _link(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).netloc):
        raise ValueError(f"{text!r} is not an address such as https://example.com/runbook")
    return text


def _given(value: object) -> object:
    return value or None


def _weekly(text: str) -> str:
    if len(parse_digest(text).days) != 1:
        raise ValueError(f"{text!r} is no moment of the week such as Mon 09:00 Europe/Berlin: it names one day")
    return text


def _method(text: str) -> str:
    return text.upper()


Share = Annotated[
    float, BeforeValidator(_share), Field(ge=0, le=1), WithJsonSchema({"type": "string", "examples": ["20%"]})
]
Link = Annotated[str, AfterValidator(_link)]


class LimitFields(Fields):
    """How many probes may run at once; what must wait for its turn is counted and shown."""

    in_flight: Annotated[int, Field(ge=1)] = 500
    """In all."""
    per_host: Annotated[int, Field(ge=1)] = 10
    """Against one host, that of the check's address. A redirect is followed within the same place; a new look at what
    a check `needs` takes one like any run."""


class RetentionFields(Fields):
    """How long measurements are kept: samples up to an age or a size, whichever is reached first."""

    samples: PositiveDuration = timedelta(days=14)
    """How long every single sample is kept."""
    size: Size = Field(default=10**9, json_schema_extra={"default": "1GB"})
    """How much room samples may take."""
    hours: PositiveDuration = timedelta(days=400)
    """How long the summary of each hour is kept."""


class RateLimitFields(Fields):
    """A limit that a target sets on requests, so that the monitor's own never use it up. Too many are a fault.

    Counted is each request of a run, at the fastest pace. Redirects that lead there, and the new look at what a check
    `needs` before it pages, come on top: leave room for them with `share`.
    """

    url: Link
    """The address that is limited, with everything below its path."""
    method: Annotated[str, AfterValidator(_method)] = ""
    """The method that is limited; default: all of them together."""
    requests: Annotated[int, Field(ge=1)]
    """How many requests are allowed."""
    per: PositiveDuration
    """In which time."""
    share: Share = 0.5
    """Which share of them the monitor may use at most; `0%`: no check may ask there at all."""
    source: str = ""
    """Where in the runbook the limit stands."""


class DeployFields(Fields):
    """What follows a deploy of the system: it is noticed when a check sees another version, or reported over HTTP."""

    token: Annotated[Secret | None, BeforeValidator(_given)] = None
    """Lets whoever has it report a deploy: `POST /api/v1/deploys/<system>`, as `Authorization: Bearer`."""
    checks: list[str] = Field(default_factory=list)
    """The checks that run then, one after the other, in this order; flows with `when: deploy` follow by themselves."""
    watch: PositiveDuration = timedelta(hours=1)
    """For so long all checks run three times as often, though not more often than every 5 s. Those that ask a vendor's
    API, and those whose requests one of the `rate_limits` counts, keep their pace."""
    rollback: PositiveDuration = timedelta(minutes=15)
    """The same after going back to an earlier version."""
    reports: list[PositiveDuration] = Field(default_factory=list)
    """So long after a deploy it is reported what got worse; default: once, at the end of `watch`."""

    @property
    def spans(self) -> tuple[timedelta, ...]:
        """Return after what times a deploy is reported on."""
        return tuple(sorted(self.reports)) or (self.watch,)


class SystemFields(Fields):
    """One watched product and its checks."""

    title: str = ""
    """What the system is called in messages; default: its name."""
    runbook: Link = ""
    """The address of its runbook, linked from every alert."""
    public: bool = False
    """Lets everybody see, without a token, its title, how it stands as a whole, and its uptime; nothing of its checks,
    its alerts or its figures."""
    zone: Zone = "UTC"
    """The time zone that its users live by, such as `Europe/Berlin`: what is `usual` at an hour of the week is so on
    their clock, in summer and in winter."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    """Fields that each check has unless it sets them itself, such as `every`; a kind takes only those that it knows."""
    rate_limits: list[RateLimitFields] = Field(default_factory=list)
    """Limits of the system's own interfaces that the checks together must stay under."""
    deploys: DeployFields = DeployFields()
    """What follows a deploy."""
    maintenance: list[MaintenanceFields] = Field(default_factory=list)
    """When it is worked on: nothing new is told of it then, and it does not count as down."""
    checks: dict[str, Any]
    """Its checks by name. A check is a mapping, or just an address from which its kind follows."""


class SystemFile(SystemFields):
    """A file that describes one system."""

    system: str
    """The name of the system: a-z, 0-9, - and _."""


class ReviewFields(Fields):
    """Once a week, one message about the seven days before.

    It says what paged and how soon somebody took it, what flapped, was silenced or rejected, and the uptime of each
    system. Each rule that paged three times or more without that anybody acknowledged it is named with the figure that
    would have kept it silent, judged again on the stored samples.
    """

    notify: Names
    """The channels that get it; it rings nobody."""
    at: Annotated[DigestText, AfterValidator(_weekly)] = "Mon 09:00"
    """When it leaves, such as `Mon 09:00 Europe/Berlin`; up to a day later if nobody was there."""


class MainFile(Fields):
    """`monitor.yaml`: who is told. As the only file it holds the systems too."""

    channels: dict[str, Any] = Field(default_factory=dict)
    """Where messages go, by name. A channel is a mapping, or just an address from which its kind follows."""
    routes: list[RouteFields] = Field(default_factory=list)
    """Who is told of what; default: a sole channel is told of everything."""
    systems: dict[str, Any] = Field(default_factory=dict)
    """Systems by name, where everything stands in one file."""
    limits: LimitFields = LimitFields()
    retention: RetentionFields = RetentionFields()
    flapping: FlappingFields = FlappingFields()
    drills: list[DrillFields] = Field(default_factory=list)
    """Drills that come by themselves, such as each month: whether somebody is woken, and takes it."""
    holidays: list[Day] = Field(default_factory=list)
    """Days such as `2026-12-25` on which the `hours` of routes do not open."""
    review: ReviewFields | None = None
    """The week in one message, to the channels that want it; default: none."""
