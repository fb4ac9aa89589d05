"""No secret of a configuration is in what is shown, and hidden values stay hidden."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import load
from monitor.explain import explain
from monitor.model import CheckId, Measure, Reason, State
from monitor.secrets import MASK, Redactor
from monitor.showing import Drawn, Picture, draw, effective
from monitor.situation import Situation
from monitor.viewing import Means, Viewing
from tests.examples import SECOND, sample
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.config import Config
    from monitor.store import Store

FILE = """
channels: {ops: {kind: webhook, url: "${HOOK_URL}"}}
systems:
  shop:
    title: The shop
    public: true
    deploys: {token: "${DEPLOY_KEY}"}
    checks:
      site:
        url: https://shop.example.com/?key=${SITE_QUERY}
        auth: {bearer: "${SITE_BEARER}"}
        headers: {X-Key: "${SITE_HEADER}", X-Password: "a ${SITE_PASSWORD}"}
        expect: {body: "${SITE_BODY}", json: {"a": "${SITE_JSON}"}}
        remedy: Call with ${SITE_REMEDY}.
        thresholds: [{watch: duration, warning: "> 1s", remedy: "Log in with ${SITE_STEP}."}]
      base: {kind: postgres, dsn: "postgresql://me:${BASE_PASSWORD}@db.example.com/shop"}
      queue: {kind: redis, url: "${QUEUE_URL}", if_set: QUEUE_URL}
      spare: {kind: tcp, host: "${SPARE_TOKEN}", port: 5432, if_set: NOT_SET}
"""
NAMES = re.findall(r"\$\{(\w+)\}", FILE)
ADDRESSES = {"HOOK_URL": "https://hook.example.com/{}", "QUEUE_URL": "redis://:{}@queue.example.com:6379/0"}
SECRETS = st.lists(
    st.text("abcdefghijkmnopqrstuvwxyz0123456789-_.~", min_size=12, max_size=30).map(lambda text: f"Z{text}Z"),
    min_size=len(NAMES),
    max_size=len(NAMES),
    unique=True,
)


def configured(folder: Path, secrets: list[str]) -> Config:
    source = folder / "monitor.yaml"
    source.write_text(FILE)
    values = dict(zip(NAMES, secrets, strict=True))
    return load(source, {name: ADDRESSES.get(name, "{}").format(value) for name, value in values.items()})


def shown_of(config: Config, store: Store | None = None) -> Viewing:
    """Return what shows `config`, whose every check has failed once, repeating what it was redacted of."""
    situation = Situation()
    situation.configure(config.plans, (), START)
    hide = Redactor(config.secrets)
    picture = Picture(situation, hide)
    for check in config.plans:
        detail = hide(" ".join(secret.reveal() for secret in config.secrets))
        one = sample(0, State.DOWN, Measure("duration", 2.0), check=check, detail=detail)
        situation.watched[check].see(one)
        picture.strip(check).add(one)

    async def look() -> Store:
        assert store is not None
        return store

    means = Means(
        config=lambda: config,
        leads=lambda: True,
        leader=lambda: "",
        problems=lambda: (),
        look=look,
        hide=hide,
    )
    return Viewing(FakeClock(), picture, means)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SECRETS)
def test_no_secret_is_anywhere_in_what_is_shown(tmp_path: Path, secrets: list[str]) -> None:
    config = configured(tmp_path, secrets)
    viewing = shown_of(config)
    plots = [
        draw(plan, spec, Drawn(START - SECOND, START + SECOND, samples=[sample(0, State.DOWN, check=plan.id)]))
        for plan in config.plans.values()
        for spec in plan.check.declared()
    ]
    plans = [*config.plans.values(), *(one.plan for one in config.skipped if one.plan)]
    fields = [effective(plan.check, Redactor(config.secrets)) for plan in plans]
    told = [explain(plan, config, START) for plan in config.plans.values()]
    said = repr((viewing.overview(), viewing.public(), plots, fields))
    assert "shop.example.com" in said
    assert [secret for secret in secrets if secret in said] == []
    assert [secret for secret in secrets if any(secret in text.partition("Remedy")[0] for text in told)] == []


async def test_the_page_of_a_check_tells_its_whole_configuration_without_secrets(tmp_path: Path, store: Store) -> None:
    secrets = [f"marked-{name.lower()}-7c1e" for name in NAMES]
    config = configured(tmp_path, secrets)
    viewing = shown_of(config, store)
    details = [await viewing.check(CheckId("shop", name)) for name in ("site", "base", "queue", "spare")]
    said = repr(details)
    assert None not in details
    assert [secret for secret in secrets if secret in said] == []
    site = details[0]
    assert site is not None
    assert site.configuration["auth"] == {"bearer": MASK, "basic": None}
    assert site.configuration["timeout"] == "10 s"
    assert site.remedy == (f"Call with {MASK}.",)
    plot = await viewing.plot(CheckId("shop", "site"), "duration", timedelta(hours=1))
    assert plot is not None
    assert viewing.public().systems[0].title == "The shop"


@pytest.mark.parametrize(
    ("field", "wanted"),
    [("every", "30 s"), ("down", {"info": None, "warning": None, "critical": 3}), ("remedy_for", {"dns": "Ask."})],
)
def test_values_are_those_that_json_has_and_people_read(tmp_path: Path, field: str, wanted: object) -> None:
    source = tmp_path / "monitor.yaml"
    source.write_text("systems: {shop: {checks: {site: {url: 'https://example.com', remedy_for: {dns: Ask.}}}}}")
    check = load(source, {}).plans[CheckId("shop", "site")].check
    assert effective(check, str)[field] == wanted
    assert Reason.DNS in check.remedy_for
    assert "timeout" not in effective(check, str, defaults=False)
    assert "url" not in effective(check, str, {"url"})
