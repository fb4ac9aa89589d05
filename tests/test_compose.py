"""docker-compose.yml and what it provisions: closed to others, without rights, and its parts fit each other."""

from __future__ import annotations

import json
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
GRAFANA = ROOT / "config/grafana"


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
        assert source in COMPOSE["volumes"] or (ROOT / source).exists()
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


def _mounted(service: str) -> dict[str, Path]:
    """Return which folder or file of the tree is where in a service."""
    volumes = (volume.split(":") for volume in SERVICES[service]["volumes"])
    return {place: ROOT / source for source, place, *mode in volumes if mode == ["ro"]}


def test_grafana_asks_the_prometheus_that_is_there() -> None:
    """By its name and port, at the pace of its scrapes; it is the default, so that the dashboards choose it."""
    provisioned = read(GRAFANA / "provisioning/datasources/prometheus.yaml")
    (source,) = provisioned["datasources"]
    url = urlsplit(source["url"])
    assert provisioned["apiVersion"] == 1
    assert (source["type"], source["uid"], source["access"]) == ("prometheus", "prometheus", "proxy")
    assert source["isDefault"] is True
    assert source["editable"] is False
    assert url.hostname in SERVICES
    assert f"127.0.0.1:{url.port}:{url.port}" in SERVICES[str(url.hostname)]["ports"]
    assert source["jsonData"]["timeInterval"] == read(PROMETHEUS)["global"]["scrape_interval"]


def test_grafana_has_the_dashboards_and_begins_with_the_overview() -> None:
    """Its folder is mounted where the provider and the home page look; nobody changes what the files say."""
    (provider,) = read(GRAFANA / "provisioning/dashboards/runbook-monitor.yaml")["providers"]
    mounted = _mounted("grafana")
    dashboards = mounted[provider["options"]["path"]]
    assert mounted["/etc/grafana/provisioning"] == GRAFANA / "provisioning"
    assert dashboards == GRAFANA / "dashboards"
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert json.loads((mounted[str(home.parent)] / home.name).read_text())["uid"] == "monitor-overview"


def test_whoever_looks_at_grafana_may_only_look_and_it_calls_nobody() -> None:
    """Anonymous viewers, no sign-up; no reports, no look for updates, no pictures of faces, no plug-ins."""
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert plain(environment["GF_SECURITY_ADMIN_PASSWORD"]) != environment["GF_SECURITY_ADMIN_PASSWORD"]
    assert environment["GF_SECURITY_DISABLE_GRAVATAR"] == "true"
    assert environment["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    outside = ("REPORTING_ENABLED", "CHECK_FOR_UPDATES", "CHECK_FOR_PLUGIN_UPDATES", "FEEDBACK_LINKS_ENABLED")
    assert {environment[f"GF_ANALYTICS_{name}"] for name in outside} == {"false"}
    closed = ("USERS_ALLOW_SIGN_UP", "NEWS_NEWS_FEED_ENABLED", "SNAPSHOTS_EXTERNAL_ENABLED")
    assert {environment[f"GF_{name}"] for name in closed} == {"false"}


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
