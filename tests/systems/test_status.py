"""What vendors say of themselves, in the files of the systems: every line that names a status page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from monitor.model import Reason, State
from monitor.probes.status.formats import VENDORS
from tests.systems.bench import bench
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import CRITICAL, INFO, WARNING
from tests.systems.realstaging import RealStaging
from tests.systems.site import Answer, page
from tests.systems.status_pages import StatusPageSite
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.peers import Authority
    from tests.systems.site import StandIn


class Pages:
    """A system, and the status pages of its vendors under their real names."""

    used: tuple[str, ...]

    def build_pages(self, system: StandIn) -> None:
        self.pages: dict[str, StatusPageSite] = {}
        for name in self.used:
            host = VENDORS[name].url.partition("://")[2]
            form = VENDORS[name].format
            self.pages[name] = StatusPageSite(host, system.authority, form, now=system.now)
        system.sites += self.pages.values()

    def addresses(self, system: str) -> dict[str, str]:
        return {f"{system.upper()}_{name.upper()}_STATUS_URL": page.url for name, page in self.pages.items()}


class RealStagingAndItsVendors(Pages, RealStaging):
    used = ("render", "backblaze", "auth0", "stripe", "replicate")

    def build(self) -> None:
        super().build()
        self.build_pages(self)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.addresses(self.name)}


class TatameAndItsVendors(Pages, Tatame):
    used = ("stripe", "clerk", "supabase")

    def build(self) -> None:
        super().build()
        self.build_pages(self)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.addresses(self.name)}


class EcomDashAndItsVendors(Pages, EcomDash):
    used = ("render", "shopify", "openai", "sentry", "resend")

    def build(self) -> None:
        super().build()
        self.build_pages(self)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.addresses(self.name)}


class Line(NamedTuple):
    """A requirement, its system, one vendor of it, and words of the remedy."""

    id: str
    system: Callable[[Authority], Any]
    vendor: str
    remedy: str


LINES = [
    Line("RS-11", RealStagingAndItsVendors, "render", "Deploy nothing until it is over"),
    Line("RS-11", RealStagingAndItsVendors, "backblaze", "must be asked for again"),
    Line("RS-11", RealStagingAndItsVendors, "auth0", "Nobody can log in while Auth0 fails"),
    Line("RS-11", RealStagingAndItsVendors, "stripe", "grant nothing by hand"),
    Line("RS-11", RealStagingAndItsVendors, "replicate", "images take longer"),
    Line("TA-31", TatameAndItsVendors, "stripe", "tell users that payments wait"),
    Line("TA-31", TatameAndItsVendors, "clerk", "Nobody can log in or sign up"),
    Line("TA-31", TatameAndItsVendors, "supabase", "Run no migration until it is over"),
    Line("ED-28", EcomDashAndItsVendors, "render", "All five resources run there"),
    Line("ED-28", EcomDashAndItsVendors, "shopify", "a sync can be asked for again"),
    Line("ED-28", EcomDashAndItsVendors, "openai", "insights are late"),
    Line("ED-28", EcomDashAndItsVendors, "sentry", "Sentry's silence means nothing"),
    Line("ED-28", EcomDashAndItsVendors, "resend", "send those again"),
]
WORST = {"firehydrant": 3, "stripe": 3}
"""What counts as major where a format has no word for that."""


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.id} {line.vendor}")
async def test_a_vendor_in_trouble(line: Line, authority: Authority) -> None:
    """A minor incident informs, a major one warns, each by its title; both end when the vendor says so."""
    check = f"status-{line.vendor}"
    async with bench(line.system, authority) as running:
        vendor = running.stand_in.pages[line.vendor]
        title = f"{running.plan(check).title}: vendor incident"
        assert (await running.run(check, times=2)).state is State.UP
        assert running.told() == []
        vendor.announces("Upgrade of the network", "API")
        await running.run(check)
        assert running.told() == []
        vendor.has("Elevated errors", 1, "API")
        await running.run(check)
        running.assert_told(check, INFO, title, "Elevated errors (minor", line.remedy, vendor.url)
        vendor.has("Requests are lost", WORST.get(vendor.format, 2), "API")
        vendor.troubles.reverse()
        await running.run(check)
        running.assert_told(check, WARNING, title, "Requests are lost", line.remedy)
        vendor.heal()
        await running.run(check)
        running.assert_resolved(check, WARNING)


@pytest.mark.parametrize("vendor", [pytest.param("render", id="RS-11 explains")])
async def test_alerts_name_the_incident_of_a_vendor(vendor: str, authority: Authority) -> None:
    """However long ago that began, in the vendor's own words; and no more once it is over."""
    async with bench(RealStagingAndItsVendors, authority) as running:
        status = f"status-{vendor}"
        running.stand_in.pages[vendor].has("Requests are lost", 2, "API")
        await running.run(status)
        running.assert_told(status, WARNING, "Requests are lost")
        running.clock.skip(timedelta(hours=2))
        running.stand_in.stops()
        await running.run("api", times=3)
        running.assert_told("api", CRITICAL, "vendor incident", "Requests are lost (major")
        running.stand_in.heal()
        await running.run("api", times=2)
        await running.run(status)
        running.told()
        running.stand_in.stops()
        await running.run("api", times=3)
        assert not [message for message in running.told() if "Requests are lost" in message.text]


@pytest.mark.parametrize(
    "answer", [Answer(403, ""), page(), Answer(200, "{"), Answer(503, "")], ids=["RS-11 403", "page", "half", "503"]
)
async def test_a_page_that_cannot_be_read_says_nothing_of_the_vendor(answer: Answer, authority: Authority) -> None:
    """Not even that an incident is over."""
    async with bench(RealStagingAndItsVendors, authority) as running:
        vendor = running.stand_in.pages["render"]
        vendor.has("Deploys hang", 2, "API")
        await running.run("status-render")
        assert running.told()
        vendor.says = answer
        sample = await running.run("status-render", times=3)
        assert sample.state is State.UNKNOWN
        assert sample.reason in {Reason.AUTH, Reason.PROTOCOL, Reason.STATUS}
        assert running.told() == []
