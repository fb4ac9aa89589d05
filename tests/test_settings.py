import socket
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.faults import ConfigError
from monitor.secrets import Secret
from monitor.settings import Address, Settings, read_settings, unknown_variables, variables

IN_THE_CLEAR = "must be an https:// address: user and password would cross a public network in the clear"
TOO_SELDOM = "must be from 1s to 2m: readers take a series for gone that has no sample for five minutes"


def read(monkeypatch: pytest.MonkeyPatch, **environ: str) -> Settings:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def told(monkeypatch: pytest.MonkeyPatch, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(monkeypatch, **environ)
    return [str(fault) for fault in caught.value.faults]


def test_without_an_environment_nothing_but_this_machine_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert settings.config == Path("monitor.yaml")
    assert settings.systems == []
    assert settings.listen == ("127.0.0.1", 8080)
    assert settings.database == Path("data/monitor.db")
    assert (settings.log_level, settings.log_format) == ("info", None)
    assert settings.secrets == ()
    assert not settings.confined


def test_everything_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        MONITOR_CONFIG="config",
        MONITOR_SYSTEMS="shop, shed,",
        MONITOR_DATABASE_URL="sqlite:////var/data/my%20monitor.db",
        MONITOR_DATA="/elsewhere",
        MONITOR_LISTEN="0.0.0.0:9090",
        MONITOR_TOKEN="hunter2",
        MONITOR_SCRAPE_TOKEN="sesame",
        MONITOR_DEADMAN_URL="https://deadman.example.com/ping/1",
        MONITOR_REMOTE_WRITE_URL="https://12345:glc_p%40ss@prometheus.example.com/api/prom/push",
        MONITOR_REMOTE_WRITE_EVERY="1m",
        MONITOR_INSTANCE="one",
        SENTRY_DSN="https://key@sentry.example.com/1",
        LOG_LEVEL="DEBUG",
        LOG_FORMAT="JSON",
    )
    assert settings.config == Path("config")
    assert settings.systems == ["shop", "shed"]
    assert settings.database == Path("/var/data/my monitor.db")
    assert settings.listen == Address("0.0.0.0", 9090)
    assert settings.token == Secret("hunter2")
    assert (settings.log_level, settings.log_format) == ("debug", "json")
    assert settings.remote_write_every == timedelta(minutes=1)
    assert settings.instance == "one"
    assert len(settings.secrets) == 8
    assert {Secret("12345:glc_p@ss"), Secret("glc_p@ss")} <= {*settings.secrets}
    assert "hunter2" not in repr(settings)
    assert "glc_p" not in repr(settings)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, MONITOR_TOKEN="", PORT="", MONITOR_LISTEN="", MONITOR_SYSTEMS="")
    assert settings.token is None
    assert settings.listen == ("127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("environ", "host", "port", "confined"),
    [
        ({"PORT": "10000"}, "127.0.0.1", 10_000, True),
        ({"PORT": "10000", "MONITOR_TOKEN": "hunter2"}, "0.0.0.0", 10_000, False),
        ({"PORT": "10000", "MONITOR_SCRAPE_TOKEN": "hunter2"}, "127.0.0.1", 10_000, True),
        ({"PORT": "10000", "MONITOR_LISTEN": "127.0.0.1:8080"}, "127.0.0.1", 8080, False),
        ({"PORT": "10000", "MONITOR_LISTEN": "[::]:1", "MONITOR_TOKEN": "hunter2"}, "::", 1, False),
        ({"MONITOR_LISTEN": "localhost:0"}, "localhost", 0, False),
        ({"MONITOR_LISTEN": "[::1]:80"}, "::1", 80, False),
        ({"MONITOR_LISTEN": "127.8.8.8:80"}, "127.8.8.8", 80, False),
        ({"MONITOR_LISTEN": ":80", "MONITOR_TOKEN": "hunter2"}, "0.0.0.0", 80, False),
        ({"MONITOR_LISTEN": "monitor.example.com:80", "MONITOR_TOKEN": "x"}, "monitor.example.com", 80, False),
    ],
)
def test_it_can_be_reached_from_elsewhere_only_with_a_token(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], host: str, port: int, *, confined: bool
) -> None:
    """The port that a platform assigns is no reason to let strangers in, nor is a token for scraping."""
    settings = read(monkeypatch, **environ)
    assert settings.listen == (host, port)
    assert settings.confined is confined


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", ":8080", "192.0.2.1:8080", "monitor.example.com:80"])
def test_an_address_others_reach_needs_a_token(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    (fault,) = told(monkeypatch, MONITOR_LISTEN=address, PORT="10000", MONITOR_SCRAPE_TOKEN="hunter2")
    assert fault.startswith("MONITOR_LISTEN: ")
    assert fault.endswith("can be reached from elsewhere, which needs MONITOR_TOKEN")


@pytest.mark.parametrize("address", ["8080", "localhost", "localhost:http", "localhost:70000", "localhost:"])
def test_what_is_no_address_is_a_fault(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    assert told(monkeypatch, MONITOR_LISTEN=address) == [
        f"MONITOR_LISTEN: {address!r} is not an address such as 127.0.0.1:8080"
    ]


def test_all_faults_are_told_at_once_and_no_secret_is(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = told(
        monkeypatch,
        MONITOR_DATABASE_URL="mysql://me:hunter2@db/monitor",
        MONITOR_LISTEN="0.0.0.0:80",
        MONITOR_DEADMAN_URL="hunter2",
        MONITOR_REMOTE_WRITE_URL="http://12345:hunter2@prometheus.example.com/api/v1/write",
        MONITOR_REMOTE_WRITE_EVERY="5m",
        SENTRY_DSN="https://",
        PORT="many",
        LOG_LEVEL="loud",
        LOG_FORMAT="xml",
    )
    assert faults == [
        (
            "MONITOR_DATABASE_URL: must be sqlite:/// and the path of a file (an absolute path makes it four slashes), "
            "or postgresql://user:password@host/database"
        ),
        "PORT: must be a valid integer, unable to parse string as an integer",
        "MONITOR_LISTEN: 0.0.0.0:80 can be reached from elsewhere, which needs MONITOR_TOKEN",
        "MONITOR_DEADMAN_URL: must be an http:// or https:// address",
        f"MONITOR_REMOTE_WRITE_URL: {IN_THE_CLEAR}",
        f"MONITOR_REMOTE_WRITE_EVERY: {TOO_SELDOM}",
        "SENTRY_DSN: must be an http:// or https:// address",
        "LOG_LEVEL: must be 'debug', 'info', 'warning' or 'error'",
        "LOG_FORMAT: must be 'json' or 'console'",
    ]


NEEDS_TLS = "MONITOR_REMOTE_WRITE_TOKEN: needs an https:// address in MONITOR_REMOTE_WRITE_URL"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "10.0.0.7", "localhost", "prometheus", "mimir.metrics.svc", "db.internal", "[fd00::7]"],
)
def test_in_a_network_of_ones_own_a_login_may_go_without_tls(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert read(monkeypatch, MONITOR_REMOTE_WRITE_URL=f"http://me:hunter2@{host}:9090/api/v1/write").remote_write_url
    settings = read(
        monkeypatch, MONITOR_REMOTE_WRITE_URL=f"http://{host}:9090/api/v1/write", MONITOR_REMOTE_WRITE_TOKEN="x"
    )
    assert settings.remote_write_token


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1]", "prometheus.example.com", "internal.example.com"])
def test_elsewhere_a_login_needs_tls(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Without one, plain HTTP is nobody's business but the user's."""
    assert read(monkeypatch, MONITOR_REMOTE_WRITE_URL=f"http://{host}/write").remote_write_url
    assert told(monkeypatch, MONITOR_REMOTE_WRITE_TOKEN="hunter2") == [NEEDS_TLS]
    monkeypatch.delenv("MONITOR_REMOTE_WRITE_TOKEN")
    (fault,) = told(monkeypatch, MONITOR_REMOTE_WRITE_URL=f"http://me:hunter2@{host}/write")
    assert fault == f"MONITOR_REMOTE_WRITE_URL: {IN_THE_CLEAR}"


def test_there_is_one_login_and_not_two(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, MONITOR_REMOTE_WRITE_URL="https://me:x@example.com/", MONITOR_REMOTE_WRITE_TOKEN="y") == [
        "MONITOR_REMOTE_WRITE_TOKEN: cannot be used together with a user in MONITOR_REMOTE_WRITE_URL"
    ]


def test_a_token_by_itself_is_kept_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, MONITOR_REMOTE_WRITE_URL="https://example.com/", MONITOR_REMOTE_WRITE_TOKEN="hunter2")
    assert settings.secrets == (Secret("https://example.com/"), Secret("hunter2"))


def test_an_instance_is_named_by_the_user_by_render_or_by_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).instance == socket.gethostname()
    assert read(monkeypatch, RENDER_INSTANCE_ID="srv-1-abc").instance == "srv-1-abc"
    assert read(monkeypatch, MONITOR_INSTANCE="mine").instance == "mine"


ROOT = "1 0 0:1 / / rw - overlay overlay rw\n"
DISK = "2 1 8:1 / /var/data rw - ext4 /dev/sda1 rw\n"


def test_on_render_a_database_outside_a_mounted_disk_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Promise 8: each deploy would forget every open alert; where that cannot be told, it is refused too."""
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(ROOT + DISK)
    monkeypatch.setenv("RENDER", "true")
    monkeypatch.setenv("MONITOR_DATA", "/var/data/monitor")
    assert read_settings(mountinfo).database == Path("/var/data/monitor/monitor.db")
    with pytest.raises(ConfigError, match="MONITOR_DATA: /var/data/monitor is not on a disk"):
        read_settings(tmp_path / "none")
    monkeypatch.setenv("MONITOR_DATABASE_URL", "sqlite:////opt/monitor.db")
    with pytest.raises(ConfigError) as caught:
        read_settings(mountinfo)
    assert str(caught.value) == (
        "MONITOR_DATABASE_URL: /opt is not on a disk: each deploy would forget every open alert; "
        "mount a disk and set MONITOR_DATA to a folder on it, or MONITOR_DATABASE_URL to a PostgreSQL database"
    )
    monkeypatch.delenv("RENDER")
    assert read_settings(mountinfo).database == Path("/opt/monitor.db")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_database_on_a_server_needs_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str) -> None:
    monkeypatch.setenv("RENDER", "true")
    monkeypatch.setenv("MONITOR_DATABASE_URL", f"{scheme}://me:hunter2@db.example.com/monitor")
    settings = read_settings(tmp_path / "none")
    assert settings.database == Secret(f"{scheme}://me:hunter2@db.example.com/monitor")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(settings.database)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ("/var/data", True),
        ("/var/data/a/b/c", True),
        ("/var/data/../data", True),
        ("/var/data/../elsewhere", False),
        ("/var/dat", False),
        ("/data", False),
        ("relative", False),
    ],
)
def test_on_render_only_what_lies_on_the_disk_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data: str, *, kept: bool
) -> None:
    """The disk itself and what is below it, however it is written; a neighbour whose name begins alike is not."""
    (tmp_path / "mountinfo").write_text(ROOT + DISK)
    monkeypatch.setenv("RENDER", "true")
    monkeypatch.setenv("MONITOR_DATA", data)
    if kept:
        assert read_settings(tmp_path / "mountinfo").data == Path(data)
    else:
        with pytest.raises(ConfigError, match=f"MONITOR_DATA: {data} is not on a disk"):
            read_settings(tmp_path / "mountinfo")


def test_on_render_a_link_counts_as_where_it_leads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A link to the disk is as good as the disk; one from the disk into the image, of folder or file, is not."""
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    image.mkdir()
    (tmp_path / "to-disk").symlink_to(disk)
    (disk / "to-image").symlink_to(image)
    (disk / "monitor.db").symlink_to(image / "monitor.db")
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"{ROOT}2 1 8:1 / {disk} rw - ext4 /dev/sda1 rw\n")
    monkeypatch.setenv("RENDER", "true")
    monkeypatch.setenv("MONITOR_DATA", str(tmp_path / "to-disk" / "monitor"))
    assert read_settings(mountinfo).data == tmp_path / "to-disk" / "monitor"
    for data in (disk / "to-image", disk):
        monkeypatch.setenv("MONITOR_DATA", str(data))
        with pytest.raises(ConfigError, match="is not on a disk"):
            read_settings(mountinfo)


@pytest.mark.parametrize("render", ["false", "0", ""])
def test_elsewhere_than_on_render_no_disk_is_asked_for(monkeypatch: pytest.MonkeyPatch, render: str) -> None:
    monkeypatch.setenv("MONITOR_DATA", "/opt/monitor")
    assert read(monkeypatch, RENDER=render).data == Path("/opt/monitor")


def test_a_command_that_remembers_nothing_needs_no_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Render mounts none for a pre-deploy command: `monitor validate` there must not cancel every deploy."""
    (tmp_path / "mountinfo").write_text(ROOT)
    monkeypatch.setenv("RENDER", "true")
    monkeypatch.setenv("MONITOR_DATA", "/var/data")
    assert read_settings(tmp_path / "mountinfo", remembers=False).render


def test_every_variable_of_the_design_is_read() -> None:
    assert variables() == [
        "MONITOR_CONFIG",
        "MONITOR_SYSTEMS",
        "MONITOR_DATABASE_URL",
        "MONITOR_DATA",
        "MONITOR_TOKEN",
        "MONITOR_SCRAPE_TOKEN",
        "PORT",
        "MONITOR_LISTEN",
        "MONITOR_DEADMAN_URL",
        "MONITOR_REMOTE_WRITE_URL",
        "MONITOR_REMOTE_WRITE_TOKEN",
        "MONITOR_REMOTE_WRITE_EVERY",
        "MONITOR_INSTANCE",
        "SENTRY_DSN",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "RENDER",
        "RENDER_INSTANCE_ID",
    ]


def test_unknown_variables_of_ours_are_found() -> None:
    """Those that the configuration asks for by name are known."""
    environ = {"MONITOR_TOKENS": "x", "MONITOR_TOKEN": "x", "MONITOR_HOOK": "x", "HOME": "x"}
    assert unknown_variables(frozenset({"MONITOR_HOOK"}), environ) == ["MONITOR_TOKENS"]


def test_addresses_print_as_they_are_written() -> None:
    assert [str(Address("::1", 80)), str(Address("localhost", 0))] == ["[::1]:80", "localhost:0"]
