"""How the address of a PostgreSQL database is read."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.databases import KNOWN, AddressError, is_postgres, parse

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import Authority

RENDER = "postgresql://monitor:hunter2@dpg-abc-a.frankfurt-postgres.render.com/monitor_db"
NEON = "postgresql://monitor:hunter2@ep-cool-1.eu-central-1.aws.neon.tech/db?sslmode=require&channel_binding=require"
SUPABASE = "postgres://postgres.abc:hunter2@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true&connect_timeout=9"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (RENDER, "PostgreSQL at dpg-abc-a.frankfurt-postgres.render.com/monitor_db"),
        (NEON, "PostgreSQL at ep-cool-1.eu-central-1.aws.neon.tech/db"),
        (SUPABASE, "PostgreSQL at aws-0-eu.pooler.supabase.com:6543/postgres"),
        ("postgresql:///db?host=/run/postgresql", "PostgreSQL at /run/postgresql/db"),
    ],
)
def test_addresses_are_taken_as_they_are_copied_and_shown_without_their_password(url: str, shown: str) -> None:
    assert is_postgres(url)
    address = parse(url)
    assert address.shown == shown
    assert "hunter2" not in repr(address)


def test_everything_in_an_address_reaches_the_driver() -> None:
    url = "postgres://me%40home:p%2Fw%3F@db:6000/store?application_name=mine&options=-c%20x%3D1&sslmode=disable"
    assert parse(f"{url}&target_session_attrs=read-write").options == {
        "host": "db",
        "port": 6000,
        "user": "me@home",
        "password": "p/w?",
        "database": "store",
        "target_session_attrs": "read-write",
        "server_settings": {"application_name": "mine", "options": "-c x=1"},
        "ssl": "disable",
    }


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", {"sslmode": "prefer"}),
        ("sslmode=require", {"sslmode": "require"}),
        ("sslmode=require&channel_binding=require", {"sslmode": "verify-full"}),
        ("sslmode=verify-ca&sslrootcert=system", {"sslmode": "verify-ca", "sslrootcert": "system"}),
    ],
)
def test_libpq_is_told_the_same_of_tls(query: str, told: dict[str, str]) -> None:
    """One driver takes a context, the other words."""
    assert parse(f"postgresql://me@db/store?{query}").tls == told


def tls(query: str) -> Any:  # noqa: ANN401 - a context or a word
    return parse(f"postgresql://me@db/store?{query}").options["ssl"]


@pytest.mark.parametrize(
    ("query", "verify", "names"),
    [
        ("sslmode=require", ssl.CERT_NONE, False),
        ("sslmode=verify-ca", ssl.CERT_REQUIRED, False),
        ("sslmode=verify-full", ssl.CERT_REQUIRED, True),
        ("sslmode=verify-full&sslrootcert=system", ssl.CERT_REQUIRED, True),
        ("sslmode=require&channel_binding=require", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls_is_as_strict_as_was_asked_for(query: str, verify: ssl.VerifyMode, *, names: bool) -> None:
    context = tls(query)
    assert (context.verify_mode, context.check_hostname) == (verify, names)


def test_tls_is_tried_where_nothing_is_said() -> None:
    assert tls("") == tls("sslmode=prefer") == "prefer"


def test_certificates_are_read(authority: Authority, tmp_path: Path) -> None:
    root = authority.path
    assert len(tls(f"sslmode=verify-full&sslrootcert={root}").get_ca_certs()) == 1
    for query in (f"sslrootcert={tmp_path}/none", f"sslcert={tmp_path}/none", f"sslcert={root}"):
        with pytest.raises(AddressError, match="a certificate that cannot be used"):
            tls(f"sslmode=verify-full&{query}")


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("hunter2@db/store?ssl=true&keepalive=1", r"unknown options: keepalive, ssl \(known are application_name, ch"),
        ("hunter2@db/store?sslmode=yes", "unknown sslmode"),
        ("hunter2@db/store?channel_binding=yes", "unknown channel_binding"),
        ("hunter2@db", "names no database"),
        ("hunter2@/store", "names no host"),
        ("hunter2@db:port/store", "cannot be read"),
        ("hunter2@db:99999999999999999999/store", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_without_the_password(rest: str, why: str) -> None:
    with pytest.raises(AddressError, match=why) as caught:
        parse(f"postgresql://me:{rest}")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(text=st.text(max_size=30), option=st.sampled_from(["", *KNOWN]))
def test_no_address_ends_in_another_error(text: str, option: str) -> None:
    for url in (f"postgres://{text}", f"postgres://me@db/store?{option}={text}"):
        try:
            parse(url)
        except AddressError:
            continue
