"""docker-compose.yml and what it provisions: closed to others, without rights, and its parts fit each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from monitor.cli.showing import FILE as FILE_OF_THE_DEMO
from monitor.demo.filled import LIMIT
from tests.acceptance.process import program
from tests.demo.test_filled import MEMORY

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
PROMETHEUS = ROOT / "config/prometheus/prometheus.yml"
TOKEN = ROOT / "config/prometheus/scrape_token"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text())
    return found


COMPOSE = read(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
KEYS = {
    *("build", "image", "user", "command", "environment", "ports", "volumes", "secrets", "depends_on", "healthcheck"),
    *("read_only", "tmpfs", "cap_drop", "security_opt", "stop_grace_period", "restart"),
}
"""Of https://github.com/compose-spec/compose-spec, what we use; a key with a slip in it is none of these."""


def plain(text: str) -> str:
    """Return `text` as Compose reads it where no variable is set."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed_and_without_rights(name: str) -> None:
    """Published on this machine only; a root file system that cannot be written, no capability, none to be gained."""
    service = SERVICES[name]
    assert set(service) <= KEYS
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r":v?\d+(\.\d+)*", service["image"]) or "build" in service, "an image of any day is another one"
    assert "healthcheck" in service or name == "monitor", "the daemon's stands in its image"


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (ROOT / source).is_file()
    for wanted in service.get("depends_on", {}):
        condition = service["depends_on"][wanted] if isinstance(service["depends_on"], dict) else {}
        assert condition.get("condition") != "service_healthy" or "healthcheck" in SERVICES[wanted]


def test_nothing_has_to_be_set_first() -> None:
    """One command brings it up: each variable has a default."""
    assert re.findall(r"\$\{\w+\}|\$\{\w+:?\?", FILE.read_text()) == []


def test_the_daemon_is_told_of_the_database_that_is_there() -> None:
    """User, password, host, port and name are those of the service; an empty variable means SQLite."""
    variable = SERVICES["monitor"]["environment"]["MONITOR_DATABASE_URL"]
    assert variable.startswith("${MONITOR_DATABASE_URL-"), "`:-` would not let it be empty"
    url, database = urlsplit(plain(variable)), SERVICES["database"]["environment"]
    assert url.hostname in SERVICES
    assert (url.username, url.password, url.path, url.port) == (
        database["POSTGRES_USER"],
        database["POSTGRES_PASSWORD"],
        f"/{database['POSTGRES_DB']}",
        5432,
    )
    assert "ports" not in SERVICES["database"]


def test_the_world_of_the_demo_has_servers_of_its_own_to_fill() -> None:
    """A role and a database that a file makes, beside the store's; a Redis of a few megabytes; each may be left out."""
    environment = SERVICES["monitor"]["environment"]
    given = {name: value for name, value in environment.items() if name.startswith("DEMO_")}
    assert set(given) == {"DEMO_DATABASE_URL", "DEMO_REDIS_URL", "DEMO_PROMETHEUS_URL"} <= skipping()
    assert all(value.startswith(f"${{{name}-") for name, value in given.items()), "`:-` would not let it be empty"
    database, redis, prometheus = (urlsplit(plain(given[name])) for name in given)
    made = (ROOT / "config/postgres/demo.sql").read_text()
    assert f"CREATE ROLE {database.username} LOGIN PASSWORD '{database.password}' CONNECTION LIMIT {LIMIT} " in made
    assert f"CREATE DATABASE {database.path[1:]} OWNER {database.username};" in made
    assert database.path[1:] != SERVICES["database"]["environment"]["POSTGRES_DB"]
    assert "./config/postgres/demo.sql:/docker-entrypoint-initdb.d/demo.sql:ro" in SERVICES["database"]["volumes"]
    assert (database.hostname, redis.hostname, prometheus.hostname) == ("database", "cache", "prometheus")
    assert (database.port, redis.port, prometheus.port) == (5432, 6379, 9090)
    command = SERVICES["cache"]["command"]
    given_memory = dict(zip(command[1::2], command[2::2], strict=True))
    assert given_memory == {"--save": "", "--maxmemory": MEMORY["maxmemory"], "--maxmemory-policy": "noeviction"}
    assert "ports" not in SERVICES["cache"]
    assert SERVICES["monitor"]["command"] == "demo --world 0.0.0.0:8081"


def skipping() -> set[str]:
    """Return the variables without which a check of the demo is skipped."""
    return set(re.findall(r"if_set: (\w+)", FILE_OF_THE_DEMO.read_text()))


def test_prometheus_scrapes_the_daemon_with_the_token_that_it_takes() -> None:
    """The token that opens nothing but /metrics, from a file; the address is the service's."""
    job, _ = read(PROMETHEUS)["scrape_configs"]
    environment = SERVICES["monitor"]["environment"]
    assert job["authorization"] == {"type": "Bearer", "credentials_file": "/run/secrets/scrape_token"}
    assert COMPOSE["secrets"]["scrape_token"] == {"file": f"./{TOKEN.relative_to(ROOT)}"}
    assert TOKEN.read_text().strip() == environment["MONITOR_SCRAPE_TOKEN"]
    assert environment["MONITOR_SCRAPE_TOKEN"] != plain(environment["MONITOR_TOKEN"])
    assert job["static_configs"] == [{"targets": [f"monitor:{environment['PORT']}"]}]


def test_promtool_takes_the_prometheus_file(tmp_path: Path) -> None:
    """The real one, with the secret where it is in this tree."""
    copy = tmp_path / "prometheus.yml"
    copy.write_text(PROMETHEUS.read_text().replace("/run/secrets/scrape_token", str(TOKEN)))
    checked = subprocess.run(
        [program("promtool", "prometheus"), "check", "config", copy],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stderr
    assert "SUCCESS" in checked.stdout


def test_docker_compose_takes_the_file() -> None:
    """Where it is installed: it is no package of the distribution's that CI installs."""
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not here; see https://docs.docker.com/compose/install")
    checked = subprocess.run(
        [docker, "compose", "--file", FILE, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert checked.returncode == 0, checked.stderr
