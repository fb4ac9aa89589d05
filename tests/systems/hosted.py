"""The systems together with what Render knows of them, and what goes wrong there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.systems.capliquify import CapLiquify
from tests.systems.ecomdash import EcomDash
from tests.systems.realstaging import RealStaging
from tests.systems.render_api import KEY, RenderApi
from tests.systems.seedsource import AUTH, SeedSource
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from tests.systems.site import StandIn

RENDER = "api.render.com"
HOUR = timedelta(hours=1)
SEEDSOURCE_VARIABLES = [
    "DATABASE_URL",
    "SECRET_KEY",
    "JWT_SECRET",
    "GITHUB_CLIENT_ID",
    "GITHUB_CLIENT_SECRET",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_PRICE_ID_PRO_ALPHA",
    "STRIPE_PRICE_ID_PRO_MONTHLY",
    "STRIPE_PRICE_ID_PRO_ANNUAL",
    "STRIPE_PRICE_ID_FEATURE_UNLOCK",
    "LICENSE_SERVER_URL",
    "PAYMENT_SUCCESS_URL",
    "PAYMENT_CANCEL_URL",
    "CORS_ORIGINS",
]
CAPLIQUIFY_VARIABLES = ["DATABASE_URL", "CLERK_SECRET_KEY", "ENCRYPTION_KEY", "CRON_SECRET", "SENTRY_DSN", "NODE_ENV"]
SHARED_SECRETS = ["SHOPIFY_API_KEY", "SHOPIFY_API_SECRET", "OPENAI_API_KEY"]
OWN_SECRETS = ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEY"]


class Hosted:
    """A system on Render."""

    render: RenderApi
    name: str

    def build_render(self, system: StandIn) -> None:
        """Give `system` a workspace at Render, which goes by its time."""
        self.render = RenderApi(RENDER, system.authority, system.now)
        system.sites.append(self.render)

    @property
    def render_environ(self) -> dict[str, str]:
        prefix = self.name.upper()
        return {
            f"{prefix}_RENDER_KEY": KEY,
            f"{prefix}_RENDER_VARIABLES_KEY": KEY,
            f"{prefix}_RENDER_URL": self.render.url,
        }

    def uses(self, metric: str, name: str, share: float) -> None:
        """Let a service use such a share of its CPU or memory."""
        self.render.measures(metric, name, share)
        self.render.measures(f"{metric}-limit", name, 1.0)

    def has_no_backup_for(self, name: str, hours: float) -> None:
        """Let the newest backup of a database be so old, and none of its past be recoverable."""
        one = self.render.id(name)
        self.render.recovery[one] = {"recoveryStatus": "NOT_AVAILABLE"}
        self.render.exports[one] = [self.render.now() - hours * HOUR]


class HostedSeedSource(Hosted, SeedSource):
    def build(self) -> None:
        super().build()
        self.build_render(self)

    def heal(self) -> None:
        super().heal()
        self.render.has_service("internal-admin")
        self.render.has_domain("internal-admin", AUTH)
        self.render.sets("internal-admin", *SEEDSOURCE_VARIABLES)

    @property
    def environ(self) -> dict[str, str]:
        one = {"SEEDSOURCE_RENDER_SERVICE": "srv-00000000000000000001"}
        return {**super().environ, **self.render_environ, **one}

    def fails_to_build(self) -> None:
        self.render.deploys_to("internal-admin", "build_failed")

    def fails_to_migrate(self) -> None:
        self.render.deploys_to("internal-admin", "pre_deploy_failed")

    def fails_to_start(self) -> None:
        self.render.deploys_to("internal-admin", "update_failed")

    def gets_a_second_service(self) -> None:
        self.render.has_service("license-server-rails")

    def loses_its_domain(self) -> None:
        self.render.custom_domains.clear()

    def has_its_domain_unverified(self) -> None:
        self.render.custom_domains[self.render.id("internal-admin")][0]["verificationStatus"] = "unverified"

    def loses_a_variable(self) -> None:
        del self.render.variables[self.render.id("internal-admin")]["JWT_SECRET"]

    def empties_a_variable(self) -> None:
        self.render.sets("internal-admin", "CORS_ORIGINS", value="")


class HostedRealStaging(Hosted, RealStaging):
    def build(self) -> None:
        super().build()
        self.build_render(self)

    def heal(self) -> None:
        super().heal()
        self.render.has_service("realstaging-api")
        self.render.has_service("realstaging-worker", "background_worker")
        self.render.has_database("realstaging-db", plan="starter")
        self.render.has_key_value("realstaging-redis")

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.render_environ}

    def loses_an_instance(self) -> None:
        self.render.services["realstaging-api"]["serviceDetails"]["numInstances"] = 2

    def loses_its_worker(self) -> None:
        self.render.running[self.render.id("realstaging-worker")] = 0

    def logs_a_critical_line(self) -> None:
        self.render.logs("realstaging-worker", "critical", "eve@example.com's picture is lost")

    def logs_eleven_errors(self) -> None:
        self.render.logs("realstaging-api", "error", "eve@example.com may not", times=11)

    def takes_a_larger_plan(self) -> None:
        self.render.services["realstaging-worker"]["serviceDetails"]["plan"] = "standard"

    def leaves_a_service_behind(self) -> None:
        self.render.has_service("realstaging-migrations", "background_worker", instances=2)


class HostedCapLiquify(Hosted, CapLiquify):
    def build(self) -> None:
        super().build()
        self.build_render(self)

    def heal(self) -> None:
        super().heal()
        for name in ("sentia-backend-prod", "sentia-mcp-prod"):
            self.render.has_service(name)
            self.uses("cpu", name, 0.3)
            self.uses("memory", name, 0.5)
        self.render.has_service("sentia-frontend-prod", "static_site")
        self.render.has_database("sentia-db")
        self.render.sets("sentia-backend-prod", *CAPLIQUIFY_VARIABLES)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.render_environ, "CAPLIQUIFY_RENDER_DATABASE": "sentia-db"}

    def fails_to_deploy_its_back_end(self) -> None:
        self.render.deploys_to("sentia-backend-prod", "update_failed")

    def fails_to_deploy_its_front_end(self) -> None:
        self.render.deploys_to("sentia-frontend-prod", "build_failed")

    def loses_a_variable(self) -> None:
        del self.render.variables[self.render.id("sentia-backend-prod")]["ENCRYPTION_KEY"]


class HostedTatame(Hosted, Tatame):
    def build(self) -> None:
        super().build()
        self.build_render(self)

    def heal(self) -> None:
        super().heal()
        self.render.has_service("tatame")
        self.uses("cpu", "tatame", 0.3)
        self.uses("memory", "tatame", 0.5)
        self.render.measures("http-latency", "tatame", 120.0)

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.render_environ}


class HostedEcomDash(Hosted, EcomDash):
    def build(self) -> None:
        super().build()
        self.build_render(self)

    def heal(self) -> None:
        super().heal()
        self.render.has_service("ecomdash-api")
        self.render.has_service("ecomdash-worker", "background_worker")
        self.render.has_service("ecomdash-frontend", "static_site")
        self.render.has_database("ecomdash-db", plan="starter")
        self.render.has_key_value("ecomdash-redis", plan="free")
        for name in ("ecomdash-api", "ecomdash-worker"):
            self.uses("cpu", name, 0.3)
            self.uses("memory", name, 0.5)
            self.render.sets(name, *OWN_SECRETS)
        self.render.measures("http-requests", "ecomdash-api", 40.0, "200")
        secrets = dict.fromkeys(SHARED_SECRETS, "x")
        self.render.groups = [("ecomdash-secrets", secrets, ["ecomdash-api", "ecomdash-worker"])]

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.render_environ}

    def loses_its_redis(self) -> None:
        self.render.key_values.clear()

    def loses_its_worker(self) -> None:
        del self.render.services["ecomdash-worker"]

    def fails_to_build(self) -> None:
        self.render.deploys_to("ecomdash-frontend", "build_failed")

    def unlinks_its_secrets(self) -> None:
        self.render.groups[0][2].remove("ecomdash-worker")

    def takes_the_standard_plan(self) -> None:
        self.render.services["ecomdash-api"]["serviceDetails"]["plan"] = "standard"
