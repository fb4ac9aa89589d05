"""`render.yaml` and its other forms: what Render allows, and what the daemon and its image make of them."""

from __future__ import annotations

import copy
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from monitor.cli import app
from monitor.config import load
from monitor.faults import ConfigError
from monitor.settings import read_settings, variables
from tests.blueprint import faults, read

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
CHEAP = ROOT / "render.yaml"
POSTGRES = ROOT / "deploy/render/postgres.yaml"
WEB = ROOT / "deploy/render/web.yaml"
FORMS = [CHEAP, POSTGRES, WEB]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
BUILD = {"IMAGE_USER"}
"""What only the image's build reads."""
DUMMIES = {
    "MONITOR_DEADMAN_URL": "https://deadman.example.com/ping/1",
    "MONITOR_REMOTE_WRITE_URL": "https://user:dummy@push.example.com/api/prom/push",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example.com/services/dummy",
    "SMTP_URL": "smtp://user:dummy@mail.example.com:587",
    "ONCALL_EMAIL": "oncall@example.com",
    "TWILIO_ACCOUNT_SID": f"AC{0:032}",
    "TWILIO_AUTH_TOKEN": "dummy-token",
    "TWILIO_FROM": "+15005550006",
    "ONCALL_PHONE": "+15005550010",
    "HOOK_URL": "https://hook.example.com/dummy",
    "CAPLIQUIFY_SLACK_WEBHOOK_URL": "https://hooks.slack.example.com/services/another",
}
GENERATED = "3q2+7w==dummy-of-a-generated-value"
DATABASE = "postgresql://monitor:dummy@dpg-1-a/monitor"
DISK = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /data rw - ext4 /dev/sda1 rw\n"
BARE = "1 0 0:1 / / rw - overlay overlay rw\n"


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def service(path: Path) -> dict[str, Any]:
    (only,) = read(path)["services"]
    return dict(only)


def values(path: Path) -> dict[str, str]:
    """Return the environment that Render would give to the service, with dummies for what it asks for."""
    found = {"RENDER": "true", "PORT": "10000"}
    for variable in service(path)["envVars"]:
        key = variable["key"]
        if "fromDatabase" in variable:
            found[key] = DATABASE
        elif "generateValue" in variable:
            found[key] = GENERATED
        else:
            found[key] = variable.get("value") or DUMMIES[key]
    return found


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_render_would_take_it(path: Path) -> None:
    assert faults(read(path)) == []


def of_service(**changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda blueprint: blueprint["services"][0].update(changes)


@pytest.mark.parametrize(
    "change",
    [
        of_service(type="daemon"),
        of_service(env="docker"),
        of_service(autoDeploy=True),
        of_service(autoDeployTrigger="onCommit"),
        of_service(plan="free"),
        of_service(plan="tiny"),
        of_service(region="paris"),
        of_service(healthCheckPath="/healthz"),
        of_service(maxShutdownDelaySeconds=301),
        of_service(maxShutdownDelaySeconds="30"),
        of_service(numInstances=2),
        of_service(startCommand="monitor run"),
        of_service(disk={"name": "data", "mountPath": "/etc", "sizeGB": 1}),
        of_service(disk={"name": "data", "mountPath": "data", "sizeGB": 1}),
        of_service(disk={"name": "data", "mountPath": "/data/", "sizeGB": 1}),
        of_service(disk={"name": "data", "mountPath": "/data", "sizeGB": 0}),
        of_service(envVars=[{"key": "A"}]),
        of_service(envVars=[{"key": "A", "value": "x", "sync": False}]),
        of_service(envVars=[{"key": "A", "value": 1}]),
        of_service(envVars=[{"key": "A", "sync": True}]),
        of_service(envVars=[{"key": "A", "value": "1"}, {"key": "A", "value": "2"}]),
        of_service(envVars=[{"key": "A", "fromDatabase": {"name": "none", "property": "connectionString"}}]),
        of_service(envVars=[{"key": "A", "fromDatabase": {"name": "none", "property": "url"}}]),
        lambda blueprint: blueprint["services"].append(blueprint["services"][0]),
        lambda blueprint: blueprint.update(service=[]),
        lambda blueprint: blueprint.update(databases=[{"name": "db", "plan": "basic_256mb", "region": "oregon"}]),
    ],
)
def test_what_render_refuses_is_refused_here(change: Callable[[dict[str, Any]], None]) -> None:
    """Each of the mistakes that Render's documentation names, made in the cheap form."""
    blueprint = copy.deepcopy(read(CHEAP))
    change(blueprint)
    assert faults(blueprint)


def test_a_database_of_another_region_is_refused() -> None:
    """The private network ends with the region."""
    blueprint = read(POSTGRES)
    blueprint["databases"][0]["region"] = "frankfurt"
    assert faults(blueprint) == [
        "runbook-monitor: runbook-monitor-db is in another region, where no private network leads"
    ]


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_every_variable_is_read_by_somebody(path: Path) -> None:
    """By the daemon, by the configuration that it is told to load, or by the image's build; and none is missing."""
    environ = values(path)
    loaded = load(ROOT / "config", environ, environ["MONITOR_SYSTEMS"].split(","))
    named = {variable["key"] for variable in service(path)["envVars"]}
    assert named <= {*variables(), *loaded.variables} | BUILD
    assert all(("/" in skip.name or skip.spare) and "is not set" in skip.reason for skip in loaded.skipped)
    assert all(f"ARG {name}=" in DOCKERFILE for name in BUILD)


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_no_secret_stands_in_the_file(path: Path) -> None:
    """What is secret is asked for, generated, or taken from the database."""
    for variable in service(path)["envVars"]:
        assert "value" not in variable or not re.search(r"_(URL|TOKEN|DSN|EMAIL)$", variable["key"]), variable


@pytest.mark.parametrize("path", FORMS, ids=short)
@pytest.mark.parametrize("key", ["dockerCommand", "preDeployCommand"])
def test_its_commands_are_ours(path: Path, key: str) -> None:
    """The program is where the image has it, and the real command line parser takes the rest."""
    program, *arguments = shlex.split(service(path)[key])
    if program != "/usr/local/bin/start-on-disk":
        assert program == "/opt/monitor/bin/monitor"
        assert "COPY --from=build /opt/monitor /opt/monitor" in DOCKERFILE
    else:
        assert f"COPY deploy/render/start {program}\n" in DOCKERFILE
        assert "!deploy/render/start" in (ROOT / ".dockerignore").read_text().splitlines()
        assert os.access(ROOT / "deploy/render/start", os.X_OK)
    group = typer.main.get_group(app)
    context = group.make_context("monitor", arguments, resilient_parsing=False)
    name, command, rest = group.resolve_command(context, arguments)
    assert command
    command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_the_pre_deploy_command_passes_where_render_runs_it(path: Path, tmp_path: Path) -> None:
    """In a folder like the image's, with what the blueprint sets and no disk: exit status 0, without a doubt."""
    assert "COPY config /usr/share/monitor\n" in DOCKERFILE
    environ = values(path)
    assert environ["MONITOR_CONFIG"] == "/usr/share/monitor"
    shutil.copytree(ROOT / "config", tmp_path / "monitor")
    _, *arguments = shlex.split(service(path)["preDeployCommand"])
    assert arguments == ["validate", "--strict"]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        env={**kept, **environ, "MONITOR_CONFIG": str(tmp_path / "monitor"), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert ended.stdout.endswith(" 0 doubts\n")


def set_all(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def test_the_cheap_form_remembers_on_its_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """MONITOR_DATA is where the disk is mounted, and the daemon starts with it and not without."""
    mounts = tmp_path / "mountinfo"
    set_all(monkeypatch, values(CHEAP))
    mounts.write_text(DISK)
    assert read_settings(mounts).data == Path(service(CHEAP)["disk"]["mountPath"])
    mounts.write_text(BARE)
    with pytest.raises(ConfigError, match="is not on a disk"):
        read_settings(mounts)


@pytest.mark.parametrize("path", [POSTGRES, WEB], ids=short)
def test_the_forms_with_postgresql_need_no_disk(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(BARE)
    set_all(monkeypatch, values(path))
    assert read_settings(tmp_path / "mountinfo").render
    assert "disk" not in service(path)


@pytest.mark.parametrize("path", [CHEAP, POSTGRES], ids=short)
def test_a_worker_listens_to_itself_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can reach it anyway; a PORT that the platform may set is no matter of doubt."""
    set_all(monkeypatch, {key: value for key, value in values(path).items() if value != DATABASE})
    settings = read_settings(remembers=False)
    assert settings.listen.local
    assert not settings.confined


def test_the_web_service_can_be_asked_by_render(monkeypatch: pytest.MonkeyPatch) -> None:
    """It listens on all addresses, at the platform's port, with a token that Render makes."""
    set_all(monkeypatch, {key: value for key, value in values(WEB).items() if value != DATABASE})
    settings = read_settings(remembers=False)
    assert settings.listen == ("0.0.0.0", 10_000)
    assert settings.token
    assert settings.scrape_token
    assert service(WEB)["healthCheckPath"] == "/healthz"


@pytest.mark.parametrize("path", FORMS, ids=short)
def test_it_has_time_to_end(path: Path) -> None:
    """Sends under way get 10 s, and Render kills it after this delay."""
    assert service(path)["maxShutdownDelaySeconds"] >= 30


def start_on_disk(tmp_path: Path, *, root: bool) -> list[str]:
    """Run the script with stand-ins for the programs that it calls; return what they were called with."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("chown", "chmod", "setpriv", "monitor"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (programs / name).chmod(0o755)
    (programs / "id").write_text(f"#!/bin/sh\necho {0 if root else 10001}\n")
    (programs / "id").chmod(0o755)
    ended = subprocess.run(
        [ROOT / "deploy/render/start", "run", "-c", "a file"],
        env={"PATH": f"{programs}:/usr/bin:/bin", "MONITOR_DATA": "/data"},
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return ended.stdout.splitlines()


def test_a_new_disk_is_handed_over_and_the_rights_are_given_up(tmp_path: Path) -> None:
    """A platform's disk belongs to root; the daemon never runs as root."""
    called = start_on_disk(tmp_path, root=True)
    user = "10001"
    assert called[0] == f"chown {user}:{user} /data"
    assert called[-1] == (f"setpriv --reuid={user} --regid={user} --clear-groups --no-new-privs monitor run -c a file")
    assert f"ARG IMAGE_USER={user}:{user}\nUSER ${{IMAGE_USER}}\n" in DOCKERFILE


def test_without_rights_it_just_goes_on(tmp_path: Path) -> None:
    """Where the disk is ours already, or the platform runs the image as its usual user."""
    assert start_on_disk(tmp_path, root=False) == ["monitor run -c a file"]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can hand a folder over")
def test_the_real_programs_take_these_words() -> None:
    """As root: what runs is the image's user, in a folder that it owns, and gains no rights."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others
        folder, data = Path(name), Path(name) / "data"
        folder.chmod(0o755)
        data.mkdir()
        monitor = folder / "monitor"
        monitor.write_text(
            '#!/bin/sh\nid -u; id -g; stat -c "%u %g %a" "$MONITOR_DATA"; grep NoNew /proc/self/status\n'
        )
        monitor.chmod(0o755)
        ended = subprocess.run(
            [ROOT / "deploy/render/start", "run"],
            env={"PATH": f"{folder}:/usr/bin:/bin", "MONITOR_DATA": str(data)},
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    assert ended.stdout.split() == ["10001", "10001", "10001", "10001", "750", "NoNewPrivs:", "1"]
