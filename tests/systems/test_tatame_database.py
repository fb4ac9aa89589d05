"""Tatame's database in Supabase: connection, statements, plan, tables, and the errors of webhooks it keeps."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from monitor.model import labels
from tests.baseline.hours import measure, of
from tests.systems.bench import bench
from tests.systems.database import database
from tests.systems.proof import CRITICAL, INFO, WARNING, prove_down, prove_figure
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.peers import Authority
    from tests.postgres import Cluster
    from tests.systems.bench import Bench
    from tests.systems.database import Database

SCHEMA = (
    "CREATE TABLE stripe_customer_mapping (user_id text PRIMARY KEY, stripe_customer_id text)",
    "CREATE TABLE stripe_webhook_events (id text PRIMARY KEY, type text, error text, created_at timestamptz)",
)
EVENT = "INSERT INTO stripe_webhook_events VALUES ('evt_{0}', 'invoice.paid', {1}, now() - interval '{0} minutes')"


@asynccontextmanager
async def tatame(
    server: Cluster, authority: Authority, **settings: str
) -> AsyncIterator[tuple[Bench[Tatame], Database]]:
    """Run Tatame with a database in which all is well."""
    async with (
        database(server, *SCHEMA) as kept,
        bench(Tatame, authority, TATAME_DATABASE_URL=kept.dsn(), **settings) as running,
    ):
        yield running, kept


@pytest.mark.parametrize("check", [pytest.param("database", id="TA-02")])
async def test_connection(check: str, server: Cluster, authority: Authority) -> None:
    """A database that lets nobody in is critical."""
    async with tatame(server, authority) as (running, kept):
        await prove_down(
            running,
            check,
            CRITICAL,
            kept.stop,
            kept.start,
            "refused the connection",
            "project is paused",
        )


@pytest.mark.parametrize("milliseconds", [pytest.param(1_100, id="TA-10")])
async def test_a_slow_statement(milliseconds: int, server: Cluster, authority: Authority) -> None:
    """Over 1000 ms in the mean: told with its calls and mean, without its text."""
    async with tatame(server, authority) as (running, kept):
        await kept.counts_statements()
        slow = f"SELECT pg_sleep({milliseconds / 1000}), 'secret of a customer'"
        await prove_figure(
            running,
            "database",
            "slow statement",
            WARNING,
            lambda: kept.run(slow, slow),
            lambda: kept.run("SELECT pg_stat_statements_reset()"),
            "2 calls",
            "s in the mean",
            "Add an index",
        )


@pytest.mark.parametrize("limit", [pytest.param("10", id="TA-20 connections")])
async def test_connections(limit: str, server: Cluster, authority: Authority) -> None:
    """Over 80 % of the plan's connections."""
    async with tatame(server, authority, TATAME_DATABASE_CONNECTIONS=limit) as (running, kept):
        await prove_figure(
            running,
            "database",
            "connections",
            WARNING,
            lambda: kept.guests(8, "tatame-server"),
            kept.leave,
            "tatame-server 8",
            "transaction pooler",
        )


@pytest.mark.parametrize("size", [pytest.param("12MB", id="TA-20 storage")])
async def test_storage(size: str, server: Cluster, authority: Authority) -> None:
    """Over 80 % of the plan's storage, with the largest table."""
    async with tatame(server, authority, TATAME_DATABASE_SIZE=size) as (running, kept):
        await prove_figure(
            running,
            "database",
            "storage",
            WARNING,
            lambda: kept.run("CREATE TABLE big AS SELECT repeat('x', 900) AS note FROM generate_series(1, 3000)"),
            lambda: kept.run("DROP TABLE big"),
            "big",
            "becomes read-only",
        )


@pytest.mark.parametrize(
    ("fault", "mended", "said"),
    [
        pytest.param(
            "ALTER TABLE stripe_customer_mapping RENAME TO gone",
            "ALTER TABLE gone RENAME TO stripe_customer_mapping",
            "stripe_customer_mapping is missing",
            id="TA-19 table",
        ),
        pytest.param(
            "ALTER TABLE stripe_webhook_events DROP CONSTRAINT stripe_webhook_events_pkey",
            "ALTER TABLE stripe_webhook_events ADD PRIMARY KEY (id)",
            "stripe_webhook_events has no index",
            id="TA-19 index",
        ),
    ],
)
async def test_tables(fault: str, mended: str, said: str, server: Cluster, authority: Authority) -> None:
    """What is missing is named."""
    async with tatame(server, authority) as (running, kept):
        await prove_down(
            running,
            "tables",
            CRITICAL,
            lambda: kept.run(fault),
            lambda: kept.run(mended),
            said,
            "supabase-migrations.sql",
        )


@pytest.mark.parametrize("error", [pytest.param("No such customer", id="TA-18")])
async def test_stored_errors(error: str, server: Cluster, authority: Authority) -> None:
    """New rows with an error warn at once, newest first and shortened; old ones do not."""
    async with tatame(server, authority) as (running, kept):
        await kept.run(EVENT.format(90, "'an old error'"), EVENT.format(3, "NULL"))
        await prove_down(
            running,
            "webhook-errors",
            WARNING,
            lambda: kept.run(EVENT.format(2, f"'{error}: {'x' * 200}'"), EVENT.format(1, "'the newest'")),
            lambda: kept.run("UPDATE stripe_webhook_events SET error = NULL WHERE id <> 'evt_90'"),
            "the newest",
            error,
            "send those events again",
        )


@pytest.mark.parametrize("error", [pytest.param("No such customer", id="TA-09 by the table")])
async def test_three_in_a_row(error: str, server: Cluster, authority: Authority) -> None:
    """The three newest failed: critical; two of them, or three long ago, are not."""
    async with tatame(server, authority) as (running, kept):
        await kept.run(
            *(EVENT.format(minutes, f"'{error}'") for minutes in (90, 91, 92, 2, 1)), EVENT.format(3, "NULL")
        )
        await prove_figure(
            running,
            "webhook-failures",
            "three in a row",
            CRITICAL,
            lambda: kept.run(EVENT.format(0, f"'{error}'")),
            lambda: kept.run("UPDATE stripe_webhook_events SET error = NULL WHERE id = 'evt_0'"),
            "is no single event",
        )


ARRIVED = """
    INSERT INTO stripe_webhook_events
    SELECT 'evt_{0}_' || n, '{0}', NULL, date_trunc('hour', now()) - interval '30 minutes'
    FROM generate_series(1, {1}) AS n
"""
USUAL = {"invoice.paid": 8, "checkout.session.completed": 2}


async def arrive(kept: Database, **events: int) -> None:
    """Let these be the events of the last whole hour."""
    kinds = {name.replace("__", "."): count for name, count in events.items()}
    await kept.run("DELETE FROM stripe_webhook_events", *(ARRIVED.format(name, count) for name, count in kinds.items()))


@asynccontextmanager
async def with_a_past(server: Cluster, authority: Authority) -> AsyncIterator[tuple[Bench[Tatame], Database]]:
    """Run Tatame after four weeks in which every hour was like the last one."""
    async with tatame(server, authority) as (running, kept):
        await arrive(kept, **{name.replace(".", "__"): count for name, count in USUAL.items()})
        past = (measure(count, of(name), name="events", count=1) for name, count in USUAL.items())
        running.has_seen("webhook-mix", 4, *past)
        yield running, kept


@pytest.mark.parametrize("hours", [pytest.param(24, id="TA-15 mix")])
async def test_another_mix(hours: int, server: Cluster, authority: Authority) -> None:
    """Over 30 % of the events of a day would have to be of another type: info; and over once the day is past."""
    async with with_a_past(server, authority) as (running, kept):
        await running.run("webhook-mix", times=hours)
        assert running.told() == []
        await arrive(kept, invoice__paid=2, checkout__session__completed=8)
        await running.run("webhook-mix", times=hours // 3)
        assert running.told() == []
        await running.run("webhook-mix", times=hours // 2)
        running.assert_told("webhook-mix", INFO, "another mix", "which less often than usual")
        await arrive(kept, invoice__paid=8, checkout__session__completed=2)
        await running.run("webhook-mix", times=hours)
        running.assert_resolved("webhook-mix", INFO)


@pytest.mark.parametrize("kind", [pytest.param("charge.dispute.created", id="TA-15 kind")])
async def test_a_new_kind(kind: str, server: Cluster, authority: Authority) -> None:
    """Named at its first sight, and known after an hour."""
    async with with_a_past(server, authority) as (running, kept):
        await running.run("webhook-mix", times=2)
        assert running.told() == []
        await arrive(kept, invoice__paid=8, checkout__session__completed=2, **{kind.replace(".", "__"): 1})
        await running.run("webhook-mix")
        running.assert_told("webhook-mix", INFO, "new kind", kind, "off the endpoint's events")
        await running.run("webhook-mix", times=3)
        running.assert_resolved("webhook-mix", INFO)


async def test_without_two_weeks_the_mix_says_nothing(server: Cluster, authority: Authority) -> None:
    """Part of TA-15: silent, not wrong."""
    async with tatame(server, authority) as (running, kept):
        await arrive(kept, charge__dispute__created=50)
        await running.run("webhook-mix", times=30)
        assert running.told() == []


@pytest.mark.parametrize("limit", [pytest.param("20", id="TA-16 connections")])
async def test_a_pool_that_is_used_up_for_good(limit: str, server: Cluster, authority: Authority) -> None:
    """Over 90 % for a quarter of an hour without a rest."""
    async with tatame(server, authority, TATAME_DATABASE_CONNECTIONS=limit) as (running, kept):
        await running.run("database", times=15)
        await kept.guests(18, "tatame-server")
        await running.run("database", times=14)
        early = " ".join(message.text for message in running.told())
        assert "scale for connections" not in early
        await running.run("database", times=2)
        running.assert_told("database", WARNING, "scale for connections", "a tier of Supabase with more connections")
        await kept.leave()
        await running.run("database", times=4)
        ended = running.told()
        assert {message.channel for message in ended} >= {"ops", "hook"}
        assert any("scale for connections" in message.text for message in ended)


@pytest.mark.parametrize("error", [pytest.param("Webhook handler timed out", id="TA-13")])
async def test_a_new_kind_of_error(error: str, server: Cluster, authority: Authority) -> None:
    """Told by its kind, with no number or text that is a customer's; a known kind is not."""
    known = "No such customer: 'cus_123'"
    async with tatame(server, authority) as (running, kept):
        await kept.run(EVENT.format(3, "$$" + known + "$$"))
        running.has_seen("error-types", 4, measure(1, labels({"kind": "No such customer"}), name="errors", count=4))
        await running.run("error-types", times=2)
        assert running.told() == []
        await kept.run(EVENT.format(2, f"'{error}: cus_42 of Jane'"))
        await running.run("error-types")
        running.assert_told("error-types", INFO, "new kind", error, "the deploy brought it")
        assert "Jane" not in repr(running.kept)
        await running.run("error-types", times=6)
        running.assert_resolved("error-types", INFO)
