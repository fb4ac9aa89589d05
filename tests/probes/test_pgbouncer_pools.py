"""What is read from the console's tables, whatever columns its version has, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.probes.pgbouncer.pools import CLIENTS, INTERNAL, SERVERS, TIMES, Answers, read
from monitor.probes.pgbouncer.words import remarks

POOLS_12 = (
    "database user cl_active cl_waiting sv_active sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode"
)
POOLS_18 = (
    "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel"
    " sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode"
)
DATABASES_12 = (
    "name host port database force_user pool_size reserve_pool pool_mode max_connections current_connections paused"
    " disabled"
)
DATABASES_18 = DATABASES_12.replace("pool_size ", "pool_size min_pool_size ")
DATABASES_24 = (
    "name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode"
    " load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused"
    " disabled"
)
STATS_18 = (
    "database total_xact_count total_query_count total_received total_sent total_xact_time total_query_time"
    " total_wait_time avg_xact_count avg_query_count avg_recv avg_sent avg_xact_time avg_query_time avg_wait_time"
)
STATS_24 = (
    "database total_server_assignment_count total_xact_count total_query_count total_received total_sent"
    " total_xact_time total_query_time total_wait_time total_client_parse_count total_server_parse_count"
    " total_bind_count avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent avg_xact_time"
    " avg_query_time avg_wait_time avg_client_parse_count avg_server_parse_count avg_bind_count"
)
STATS_MASTER = STATS_24.replace("_bind_count", "_bind_count total_client_login_count", 1) + " avg_client_login_count"
VERSIONS = {
    "1.12": (POOLS_12, DATABASES_12, STATS_18),
    "1.18": (POOLS_18, DATABASES_18, STATS_18),
    "1.21": (POOLS_18, DATABASES_18, STATS_18),
    "1.24": (f"{POOLS_18} load_balance_hosts", DATABASES_24, STATS_24),
    "1.25": (f"{POOLS_18} load_balance_hosts", DATABASES_24, STATS_24),
    "after 1.25": (f"{POOLS_18} load_balance_hosts", DATABASES_24, STATS_MASTER),
}
"""The columns of SHOW POOLS, SHOW DATABASES and SHOW STATS, from src/admin.c and src/stats.c of each release."""
FIGURES = {
    "database": "shop",
    "name": "shop",
    "user": "web",
    "pool_mode": "transaction",
    "cl_active": "21",
    "cl_waiting": "3",
    "cl_active_cancel_req": "1",
    "cl_waiting_cancel_req": "1",
    "sv_active": "18",
    "sv_active_cancel": "1",
    "sv_being_canceled": "1",
    "sv_idle": "2",
    "sv_used": "1",
    "sv_tested": "1",
    "sv_login": "2",
    "maxwait": "4",
    "maxwait_us": "250000",
    "pool_size": "20",
    "reserve_pool": "5",
    "reserve_pool_size": "5",
    "avg_query_time": "1500",
    "avg_xact_time": "2500",
    "avg_wait_time": "500",
}


def row(columns: str, **changed: str) -> dict[str, str]:
    """Return one row of a version: what is not in `FIGURES` is 0."""
    return {name: (FIGURES | changed).get(name, "0") for name in columns.split()}


def answers(version: str = "1.24", **changed: str) -> Answers:
    pools, databases, stats = VERSIONS[version]
    return Answers(
        pools=[row(pools, database=INTERNAL, user=INTERNAL), row(pools, **changed)],
        databases=[row(databases, name=INTERNAL, paused="1"), row(databases, **changed)],
        stats=[row(stats, database=INTERNAL), row(stats, **changed)],
        lists=[{"list": "used_clients", "items": "26"}, {"list": "databases", "items": "2"}],
        config=[{"key": "max_client_conn", "value": "100"}, {"key": "auth_user"}],
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_tells_the_same(version: str) -> None:
    """By the names of its columns; 1.12 has fewer of them."""
    bouncer = read(answers(version))
    assert list(bouncer.databases) == ["shop"]
    shop = bouncer.databases["shop"]
    (pool,) = shop.pools
    cancels = version != "1.12"
    assert pool.waiting == shop.waiting == 3
    assert pool.longest == shop.longest == 4.25
    assert pool.clients == {"active": 21, "waiting": 3} | ({"cancelling": 2} if cancels else {})
    servers = {"active": 18, "idle": 2, "used": 1, "tested": 1, "login": 2} | ({"cancelling": 2} if cancels else {})
    assert pool.servers == servers
    assert shop.share == pool.busy / 25 == (23 if cancels else 21) / 25
    assert (shop.paused, shop.disabled) == (False, False)
    assert shop.times == pytest.approx({"query_time": 0.0015, "transaction_time": 0.0025, "wait_time": 0.0005})
    assert (bouncer.clients, bouncer.most, bouncer.share) == (25, 100, 0.25)


def test_a_column_that_is_missing_is_not_measured() -> None:
    """Nothing else suffers."""
    bouncer = read(Answers(pools=[{"database": "shop", "user": "web", "cl_waiting": "1"}]))
    shop = bouncer.databases["shop"]
    assert (shop.waiting, shop.longest, shop.share, shop.paused, shop.disabled, shop.times) == (
        1,
        None,
        None,
        None,
        None,
        {},
    )
    assert (bouncer.clients, bouncer.most, bouncer.share) == (None, None, None)
    assert dict(remarks(bouncer))["waiting"] == "a client of web waits for shop: 0 server connections are busy"


def test_a_database_that_nobody_uses_has_no_pool_and_is_known() -> None:
    shop = read(Answers(databases=[row(DATABASES_24, disabled="1")])).databases["shop"]
    assert (shop.pools, shop.share, shop.fullest, shop.longest, shop.disabled) == ((), None, None, None, True)


def test_the_fullest_pool_decides_or_the_limit_over_all() -> None:
    """Each user has a pool of that size; max_db_connections may be less than they have together."""
    pools = [row(POOLS_18, user="web", sv_active="10"), row(POOLS_18, user="jobs", sv_active="2", cl_waiting="0")]
    for most, share in (("0", 15 / 25), ("40", 15 / 25), ("23", 22 / 23)):
        database = row(DATABASES_24, max_connections=most)
        shop = read(Answers(pools=pools, databases=[database])).databases["shop"]
        assert shop.busy == 22
        assert shop.share == pytest.approx(share)
    said = dict(remarks(read(Answers(pools=pools, databases=[row(DATABASES_24, max_connections="22")]))))
    assert said["waiting"].endswith("22 of 22 server connections are busy (max_db_connections)")


def test_the_arithmetic_is_told() -> None:
    said = dict(remarks(read(answers())))
    assert said == {
        "waiting": (
            "3 clients of web wait for shop, the first for 4.25 s:"
            " 23 of 25 server connections are busy (pool_size 20 + reserve 5)"
        ),
        "longest_wait": said["waiting"],
        "pool_share": ("shop, web: 23 of 25 server connections are busy (pool_size 20 + reserve 5), 3 clients wait"),
        "client_share": "25 of 100 clients (max_client_conn)",
    }


def test_only_the_worst_are_named() -> None:
    """And how many more there are."""
    pools = [row(POOLS_18, database=f"d{n}", maxwait=str(n)) for n in range(6)]
    databases = [row(DATABASES_18, name=f"d{n}", paused="1", disabled="1") for n in range(6)]
    said = dict(remarks(read(Answers(pools=pools, databases=databases))))
    assert [part.split(",")[0] for part in said["waiting"].split("; ")] == [
        "3 clients of web wait for d5",
        "3 clients of web wait for d4",
        "3 clients of web wait for d3",
        "and 3 more pools",
    ]
    assert said["paused"] == "d0, d1, d2, and 3 more databases: clients wait until RESUME on the console"
    assert said["disabled"].startswith("d0, d1, d2, and 3 more databases: ")


@pytest.mark.parametrize("key", ["paused", "suspended"])
def test_when_all_are_paused_each_is(key: str) -> None:
    """A PAUSE without a name is not seen in SHOW DATABASES, only in SHOW STATE, which came with 1.19."""
    whole = answers()
    state = [{"key": "active", "value": "no"}, {"key": key, "value": "yes"}]
    paused = read(Answers(pools=whole.pools, databases=whole.databases, state=state))
    assert paused.databases["shop"].paused is True
    going = [{"key": "active", "value": "yes"}, {"key": key, "value": "no"}]
    assert read(Answers(databases=whole.databases, state=going)).databases["shop"].paused is False


def test_only_what_is_asked_for_is_read() -> None:
    pools = [row(POOLS_18, database=name) for name in ("shop", "blog", "bank")]
    assert set(read(Answers(pools=pools), ["blog", "none"]).databases) == {"blog"}


def test_a_pool_that_is_still_is_no_news() -> None:
    """Nothing is said of what is well."""
    quiet = {name: "0" for name in POOLS_18.split() if name.startswith(("cl_", "sv_", "max"))}
    assert dict(remarks(read(Answers([row(POOLS_18, **quiet)], [row(DATABASES_18)])))) == {}
    assert dict(remarks(read(Answers()))) == {}


COLUMNS = [name for states in (CLIENTS, SERVERS) for found in states.values() for name in found]
COLUMNS += [*TIMES.values(), "maxwait", "maxwait_us", "pool_size", "max_connections", "paused", "key", "value", "new"]
names = st.sampled_from(["shop", "blog", INTERNAL, ""])
texts = st.integers(0, 10**6).map(str) | st.sampled_from(["", "-1", "x", "1.5", "²", "9" * 30, "9" * 5_000])
cells = st.dictionaries(st.sampled_from(COLUMNS), texts)
placed = st.fixed_dictionaries({}, optional={"database": names, "name": names, "user": names})
tables = st.lists(st.tuples(cells, placed).map(lambda parts: parts[0] | parts[1]), max_size=5)


@settings(max_examples=60)
@given(st.lists(tables, min_size=6, max_size=6))
def test_no_table_is_too_odd(found: list[list[dict[str, str]]]) -> None:
    """Whatever stands in it: nothing is raised, no count is negative, no client is lost."""
    bouncer = read(Answers(*found))
    pools = [pool for database in bouncer.databases.values() for pool in database.pools]
    wanted = [each for each in found[0] if {"database", "user"} <= each.keys() and each["database"] != INTERNAL]
    assert len(pools) == len(wanted)
    assert INTERNAL not in bouncer.databases
    for pool in pools:
        assert all(count >= 0 for count in (*pool.clients.values(), *pool.servers.values()))
        assert pool.busy <= sum(pool.servers.values())
    assert all(text for _, text in remarks(bouncer))
