"""The commands as their users run them: in a shell, in a pipe, in a CI job."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.store.schema import CURRENT
from tests.acceptance import peers
from tests.acceptance.process import command
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.acceptance.peers import Receiver, Shop
    from tests.postgres import Cluster

FILE = """
channels:
  hook: {kind: webhook, url: "${HOOK_URL}"}
  pager: {kind: webhook, url: "${PAGER_URL}", if_set: PAGER_URL}
routes: [{severity: critical, notify: [hook, pager], repeat: 30m}]
systems:
  shop:
    title: The shop
    runbook: https://example.com/runbook
    checks:
      site:
        url: ${SHOP_URL}/
        title: Front page
        expect: {status: 200, body: the shop}
        remedy: [Look at the newest deploy., Roll back.]
        thresholds:
          - {watch: "p95(duration, 15m)", name: slow, target: "< 200ms", warning: "> 300ms", for: 1m}
          - {watch: duration, name: instant, warning: "> 1us"}
      cart: {kind: tcp, host: 127.0.0.1, port: "${CART_PORT}", needs: [site]}
      pay: {url: "${PAY_URL}", if_set: PAY_URL}
  other:
    checks:
      lost: {kind: dns, name: lost.example.com, nameservers: ["127.0.0.1:${DNS_PORT}"], timeout: 500ms}
"""
COMMANDS = (
    "run",
    "demo",
    "check",
    "validate",
    "notify",
    "explain",
    "alerts",
    "history",
    "replay",
    "review",
    "init",
    "schema",
    "test",
)
BOX = re.compile("[╭╮╰╯│─]")


@pytest.fixture
async def variables(shop: Shop, hook: Receiver) -> AsyncIterator[dict[str, str]]:
    """Return what the file asks for: a shop that answers, a cart that does not, a name server that is silent."""
    from_nowhere = free_port()
    urls = {"SHOP_URL": shop.url, "HOOK_URL": hook.url, "CART_PORT": str(from_nowhere)}
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    yield {**urls, "DNS_PORT": str(silent.get_extra_info("sockname")[1])}
    silent.close()


@pytest.fixture
def file(tmp_path: Path) -> str:
    written = tmp_path / "monitor.yaml"
    written.write_text(FILE)
    return str(written)


async def test_check_says_in_one_line_what_each_check_found(
    tmp_path: Path, file: str, variables: dict[str, str]
) -> None:
    """In the file's order, with reason and detail; status 1, since not all are up; what was skipped is said."""
    everything, one, none = await asyncio.gather(
        command(tmp_path, "check", "-c", file, **variables),
        command(tmp_path, "check", "shop/site", "-c", file, **variables),
        command(tmp_path, "check", "shop/sight", "-c", file, **variables),
    )
    lines = everything.out.splitlines()
    assert (everything.status, everything.err) == (1, "")
    assert [line.split()[:2] for line in lines[:3]] == [
        ["up", "shop/site"],
        ["down", "shop/cart"],
        ["unknown", "other/lost"],
    ]
    assert "refused: " in lines[1]
    assert "dns: " in lines[2]
    assert "skipped shop/pay: PAY_URL is not set" in lines
    assert "warning: instant is" in lines[0]
    assert "slow" not in lines[0]
    assert (one.status, len([line for line in one.out.splitlines() if "skipped" not in line])) == (0, 1)
    assert (none.status, none.out) == (2, "")
    assert "there is no check 'shop/sight'; did you mean shop/site?" in none.err


async def test_check_speaks_json_and_junit(tmp_path: Path, file: str, variables: dict[str, str]) -> None:
    """Machines read the same findings, and nothing else stands in the output."""
    as_json, as_junit = await asyncio.gather(
        command(tmp_path, "check", "-c", file, "--output", "json", **variables),
        command(tmp_path, "check", "-c", file, "--output", "junit", **variables),
    )
    assert (as_json.status, as_junit.status) == (1, 1)
    found = json.loads(as_json.out)
    assert [(one["check"], one["state"], one["reason"]) for one in found] == [
        ("site", "up", None),
        ("cart", "down", "refused"),
        ("lost", "unknown", "dns"),
    ]
    assert "duration" in {measure["name"] for measure in found[0]["measures"]}
    suite = ET.fromstring(as_junit.out)  # noqa: S314 - our own
    assert suite.attrib | {"name": "", "tests": "3", "failures": "1", "errors": "1"} == suite.attrib | {"name": ""}
    assert [[child.tag for child in case] for case in suite] == [["system-out"], ["failure"], ["error"]]


async def test_validate_says_what_is_wrong_and_what_is_doubtful(
    tmp_path: Path, file: str, variables: dict[str, str]
) -> None:
    """Doubts are no faults unless asked for; without the variables it takes `--no-env`."""
    plain, strict, bare, no_env = await asyncio.gather(
        command(tmp_path, "validate", "-c", file, **variables),
        command(tmp_path, "validate", "-c", file, "--strict", **variables),
        command(tmp_path, "validate", "-c", file),
        command(tmp_path, "validate", "-c", file, "--no-env"),
    )
    assert [ended.status for ended in (plain, strict, bare, no_env)] == [0, 2, 2, 0]
    assert "doubt: MONITOR_DEADMAN_URL: is not set" in plain.out
    assert plain.out.splitlines()[-1].startswith("3 checks of 2 systems")
    assert no_env.out.splitlines()[-1].startswith("4 checks of 2 systems")
    assert {fault.partition(" is not set")[0].rpartition(" ")[2] for fault in bare.err.splitlines()} == {
        "HOOK_URL",
        "SHOP_URL",
        "CART_PORT",
        "DNS_PORT",
    }
    assert all(fault.startswith(f"{file}:") for fault in bare.err.splitlines())


async def test_validate_asks_databases_when_it_is_told_to(tmp_path: Path, postgres: Cluster) -> None:
    """And nobody otherwise; without the environment there is nobody to ask."""
    written = tmp_path / "one.yaml"
    written.write_text("system: shop\nchecks: {db: '${DATABASE_URL}', away: '${AWAY_URL}'}\n")
    urls = {"DATABASE_URL": postgres.dsn(), "AWAY_URL": "postgres://me:hunter2@127.0.0.1:1/shop"}
    plain, asked, strict, no_env = await asyncio.gather(
        command(tmp_path, "validate", "-c", str(written), **urls),
        command(tmp_path, "validate", "-c", str(written), "--connect", **urls),
        command(tmp_path, "validate", "-c", str(written), "--connect", "--strict", **urls),
        command(tmp_path, "validate", "-c", str(written), "--connect", "--no-env", **urls),
    )
    assert [ended.status for ended in (plain, asked, strict, no_env)] == [0, 0, 2, 2]
    assert "may do more than look" not in plain.out
    assert f"doubt: {written}:2: shop/db: its role monitor may do more than look: it is a superuser\n" in asked.out
    assert "shop/away: could not be asked: refused: 127.0.0.1:1 refused the connection\n" in asked.out
    assert "hunter2" not in "".join(ended.out + ended.err for ended in (plain, asked, strict, no_env))


async def test_notify_sends_a_trial_and_says_what_became_of_it(
    tmp_path: Path, file: str, variables: dict[str, str], hook: Receiver
) -> None:
    """Status 0 when it was accepted, 1 with the reason when not, 2 for a channel that is none or is skipped."""
    async with peers.receiver() as pager:
        pager.status = 403
        accepted, refused, skipped, unknown = await asyncio.gather(
            command(tmp_path, "notify", "hook", "-c", file, **variables),
            command(tmp_path, "notify", "pager", "-c", file, PAGER_URL=pager.url, **variables),
            command(tmp_path, "notify", "pager", "-c", file, **variables),
            command(tmp_path, "notify", "nobody", "-c", file, **variables),
        )
    assert (accepted.status, accepted.out) == (0, "hook: accepted\n")
    assert len(hook.posts) == 1
    assert (refused.status, refused.out) == (1, "pager: answered 403: ok\n")
    assert (skipped.status, "PAGER_URL is not set" in skipped.err) == (2, True)
    assert (unknown.status, "allowed: hook" in unknown.err) == (2, True)


async def test_explain_and_schema_say_all_there_is(tmp_path: Path, file: str, variables: dict[str, str]) -> None:
    """What one check means, defaults included; what a file may hold, as JSON Schema."""
    explained, schema = await asyncio.gather(
        command(tmp_path, "explain", "shop/site", "-c", file, **variables), command(tmp_path, "schema")
    )
    assert (explained.status, schema.status) == (0, 0)
    said = (
        "every 30 s",
        "down (critical) after 3 failed runs",
        "slow: p95(duration, 15m): good < 200ms, warning > 300ms for 1 min",
        "critical: hook (webhook), reminded every 30 min",
        "a message reads: The shop: Front page: down",
        "Look at the newest deploy.",
    )
    assert [text for text in said if text not in explained.out] == []
    assert json.loads(schema.out)["$schema"].startswith("https://json-schema.org/")


async def test_each_command_has_help_with_an_example(tmp_path: Path) -> None:
    """What to type, in full."""
    overview = await command(tmp_path, "--help")
    assert overview.status == 0
    for name in COMMANDS:
        assert re.search(rf"^. {name} ", overview.out, re.MULTILINE), name
        shown = CliRunner().invoke(app, [name, "--help"])  # the same without a start of its own
        assert shown.exit_code == 0
        assert re.search(rf"Examples?:.* monitor {name}\b", " ".join(BOX.sub(" ", shown.output).split())), name


async def test_what_is_piped_is_plain_and_its_lines_are_whole(tmp_path: Path, variables: dict[str, str]) -> None:
    """No escape for a terminal, no line broken at a width that nobody has."""
    long = "a-very-long-name-of-a-check-that-goes"
    written = tmp_path / "long.yaml"
    written.write_text(FILE.replace("site:", f"{long}:").replace("needs: [site]", f"needs: [{long}]"))
    outputs = await asyncio.gather(
        command(tmp_path, "check", "-c", str(written), **variables),
        command(tmp_path, "validate", "-c", str(written), **variables),
        command(tmp_path, "validate", "-c", str(written)),
        command(tmp_path, "explain", f"shop/{long}", "-c", str(written), **variables),
        command(tmp_path, "check", "--help"),
    )
    assert not [ended for ended in outputs if "\x1b" in ended.out + ended.err]
    checked, validated, faulty, explained, _ = outputs
    assert f"shop/{long} " in checked.out
    assert len(checked.out.splitlines()) == 5
    assert all(line.startswith(("doubt: ", "note: ", "3 checks")) for line in validated.out.splitlines())
    assert all(line.startswith(f"{written}:") for line in faulty.err.splitlines())
    assert f"shop/{long}: The shop, Front page" in explained.out


async def test_migrate_says_what_it_did(tmp_path: Path, postgres: Cluster) -> None:
    """Status 0 when the schema is up to date, 1 when the store is away or not ours, 2 for an address that is none."""
    postgres.psql("CREATE DATABASE migrated")
    here = {"MONITOR_DATABASE_URL": postgres.dsn("migrated")}
    away = {"MONITOR_DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/store"}
    wrong = {"MONITOR_DATABASE_URL": "mysql://me:hunter2@db/store"}
    file = {"MONITOR_DATA": str(tmp_path / "new")}
    first = await asyncio.gather(*(command(tmp_path, "migrate", **environ) for environ in (here, file, away, wrong)))
    ended = [first[0], await command(tmp_path, "migrate", **here), *first[1:]]
    assert [one.status for one in ended] == [0, 0, 0, 1, 2]
    assert ended[0].out == ended[2].out == f"a new store was brought to schema {CURRENT}\n"
    assert ended[1].out == f"schema {CURRENT} is up to date\n"
    assert ended[3].err.startswith("PostgreSQL at 127.0.0.1:1/store: ")
    assert "hunter2" not in "".join(one.out + one.err for one in ended)
