"""The command that looks at a product, or at a workspace of Render's, and writes a first file."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer
import uvloop
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from monitor import logs
from monitor.cli.telling import look_for_channel, send_test
from monitor.cli.terminal import FAILED, exit_status, say
from monitor.clock import SystemClock
from monitor.config import load
from monitor.faults import ConfigError, Fault
from monitor.model import Failure
from monitor.outside import reach_outside
from monitor.probes.render.asking import Render, access_with
from monitor.secrets import Redactor
from monitor.settings import read_settings
from monitor.survey import (
    NothingToWatch,
    Wish,
    clean,
    create,
    look,
    look_at_workspace,
    main_text,
    name_of,
    named,
    readings,
    system_text,
    target,
    workspace_text,
    workspaces,
)
from monitor.survey.render import API, KEY
from monitor.vendors import Api, Base, Key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from monitor.config import Config
    from monitor.secrets import Secret
    from monitor.settings import Settings
    from monitor.survey import Survey, Target, Workspace

    Tell = Callable[[str], None]

T = TypeVar("T")

FOLDER = Path("config")
FOR_RENDER = timedelta(minutes=5)
CONSOLE = "console"
WHERE_A_KEY_IS = (
    f"{KEY} is not set: make one in Render, Account Settings, API Keys, as a user who is a member of the workspace. "
    "Render has no keys that may only read; nothing but GETs is asked"
)

UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="Where the product answers.")]
RenderOption = Annotated[bool, typer.Option("--render", help=f"Look at a workspace of Render's instead, with {KEY}.")]
OwnerOption = Annotated[str, typer.Option(metavar="NAME", help="Which workspace: its name or id.")]
SystemOption = Annotated[str, typer.Option(metavar="NAME", help="What to call the system; default: after its host.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where to write, - for here; default: systems/NAME.yaml in the folder."),
]
ChannelOption = Annotated[str, typer.Option(metavar="NAME", help="Which channel is tested; default: the only one set.")]
SamplesOption = Annotated[int, typer.Option(min=1, max=200, help="How often each address is asked for its speed.")]
TrustOption = Annotated[str, typer.Option(metavar="FILE", help="Certificates to trust besides the system's.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FOLDER", help="The folder; default: MONITOR_CONFIG, config."),
]
ApiOption = Annotated[str, typer.Option(metavar="URL", help="Render's API, or what stands in for it.", hidden=True)]


class Wanted(NamedTuple):
    """Where the file goes, as far as the user said so."""

    folder: Path
    output: Path | None
    system: str

    def place(self, suggested: str) -> Target:
        """Return where it goes and what it is called, `suggested` unless the user has named it; raises as `target`."""
        return target(self.folder, self.system or suggested, self.output)


def init(  # noqa: PLR0913 - its options
    url: UrlArgument = "",
    render: RenderOption = False,
    owner: OwnerOption = "",
    system: SystemOption = "",
    output: OutputOption = None,
    channel: ChannelOption = "",
    samples: SamplesOption = 20,
    ca_file: TrustOption = "",
    api: ApiOption = API,
    config: FolderOption = None,
) -> None:
    """Look at an address, or at all that Render runs for you, and write a commented first file. Nothing is overwritten.

    It goes into the folder of the configuration (`-c`, MONITOR_CONFIG, or else `config`), which gets a monitor.yaml if
    it has none. Then a test is sent through the channel, if one is set: did you see it? Exit status 1 when nothing
    answers, or a file is in the way.

    **Examples:** `monitor init https://shop.example.com`, `monitor init localhost:3000 --output -`,
    `monitor init --render --owner "My team"`
    """
    with exit_status(), _outcomes():
        if bool(url) is render:
            raise ConfigError([Fault("give an address, or --render", key="init")])
        settings = read_settings(remembers=False)
        logs.configure("critical", None, str)
        wanted = Wanted(
            config or (settings.config if "config" in settings.model_fields_set else FOLDER), output, system
        )
        if render:
            where, text = _of_render(wanted, owner, api)
        else:
            where, text = _of_address(wanted, url, samples, ca_file)
        _write(where, text)
        if where.file is not None:
            _say_what_is_next(where)
            _ask_whether_seen(where, channel, settings)


@contextmanager
def _outcomes() -> Iterator[None]:
    """Say why nothing came of it."""
    try:
        yield
    except (NothingToWatch, Failure) as why:
        say(f"{why} Nothing was written.", "red", error=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        say("Stopped. Nothing was written.", "red", error=True)
        raise typer.Exit(FAILED) from None


@contextmanager
def _progress() -> Iterator[Tell]:
    """Yield what shows on a terminal, in a line that goes away again, what is being done."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield status.update


# An address


def _of_address(wanted: Wanted, url: str, samples: int, ca_file: str) -> tuple[Target, str]:
    try:
        asked = readings(url)
    except ValueError as error:
        raise ConfigError([Fault(str(error), key="URL")]) from None
    where = wanted.place(name_of(asked.host or ""))
    with _progress() as tell:
        survey = uvloop.run(_survey(Wish(asked, samples, ca_file), tell))
    return where, system_text(survey, where.name)


async def _survey(wish: Wish, tell: Tell) -> Survey:
    async with reach_outside() as outside:
        return await look(wish, outside, SystemClock(), tell)


# A workspace of Render's


def _of_render(wanted: Wanted, owner: str, api: str) -> tuple[Target, str]:
    key = _read(TypeAdapter(Key), os.environ.get(KEY, ""), KEY, WHERE_A_KEY_IS)
    address = _read(TypeAdapter(Base), api, "--api", "")

    async def known(render: Render, _: Tell) -> Sequence[Workspace]:
        return await workspaces(render)

    workspace = _chosen(_asked(key, address, known), owner)
    where = wanted.place(named(workspace.name))
    found = _asked(key, address, lambda render, tell: look_at_workspace(render, workspace, address, tell))
    return where, workspace_text(found, where.name)


def _read(kind: TypeAdapter[Any], text: str, name: str, missing: str) -> Any:  # noqa: ANN401 - what `kind` makes of it
    if not text:
        raise ConfigError([Fault(missing, key=name)])
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError([Fault(said, key=name)]) from None


def _asked(key: Secret, address: str, ask: Callable[[Render, Tell], Awaitable[T]]) -> T:
    """Return what `ask` has found; what the key may use is used slowly."""

    async def work(tell: Tell) -> T:
        async with reach_outside() as outside:
            api = Api(access_with(key, address), outside.for_probes(Redactor([key])), FOR_RENDER, {})
            try:
                async with asyncio.timeout(FOR_RENDER.total_seconds()):
                    return await ask(Render(api, timedelta()), tell)
            except TimeoutError:
                raise NothingToWatch("Render gave no whole answer within 5 minutes.") from None

    with _progress() as tell:
        return uvloop.run(work(tell))


def _chosen(found: Sequence[Workspace], owner: str) -> Workspace:
    """Return the workspace that is meant; asks where there are several and somebody sits there."""
    listed = ", ".join(f"{clean(each.name, 60)} ({each.id})" for each in found)
    if not found:
        raise NothingToWatch("The key sees no workspace: let its user be a member of one.")
    fitting = [each for each in found if owner in {each.id, each.name}] if owner else list(found)
    if len(fitting) == 1:
        return fitting[0]
    if owner or not _somebody_is_there():
        problem = f"{len(fitting)} are called {owner!r}" if owner else "The key sees several workspaces"
        raise NothingToWatch(f"{problem}: say which with --owner. There are {listed}.")
    say(f"The key sees several workspaces: {listed}", error=True)
    return _chosen(found, typer.prompt("Which one (name or id)", err=True))


# What comes of it


def _write(where: Target, text: str) -> None:
    if where.file is None:
        typer.echo(text, nl=False)
        return
    create(where.file, text)
    say(f"wrote {where.file}", "green")
    if where.main is not None:
        create(where.main, main_text())
        say(f"wrote {where.main}", "green")


def _say_what_is_next(where: Target) -> None:
    source = where.folder or where.file
    alone = f"MONITOR_SYSTEMS={where.name} " if where.others else ""
    say(f"look it over, and write its remedies: {where.file}")
    say(f"then: monitor check {where.name} -c {source}")
    say(f"then: {alone}monitor run -c {source}")


def _ask_whether_seen(where: Target, channel: str, settings: Settings) -> None:
    """Send a test through the channel, if there is one that reaches somebody, and ask for it."""
    if where.folder is None:
        return
    config = load(where.folder, os.environ, [where.name], named_in="--system")
    name = channel or _sole(config)
    if not name:
        return
    look_for_channel(name, config)
    if problem := uvloop.run(send_test(name, config, settings)):
        say(f"{name} did not take the test: {problem}", "red", error=True)
        raise typer.Exit(FAILED)
    if not _somebody_is_there():
        say(f"sent a test through {name}: did you see it?")
        return
    seen = typer.confirm(f"Sent a test through {name}: did you see it?")
    note = f"{SystemClock().now():%Y-%m-%d}: the test through {name} was {'seen' if seen else 'not seen'}."
    if where.file is not None:
        with where.file.open("a", encoding="utf-8") as file:
            file.write(f"# {note}\n")
    say(
        note if seen else f"{note} Find out why before it matters: monitor notify {name}", "green" if seen else "yellow"
    )


def _sole(config: Config) -> str:
    """Return the only channel that reaches somebody elsewhere; otherwise say what there is, and return nothing."""
    telling = [name for name, channel in config.channels.items() if channel.kind != CONSOLE]
    if len(telling) == 1:
        return telling[0]
    if telling:
        say(f"to see whether they reach somebody: monitor notify NAME, with {', '.join(telling)}")
    else:
        skipped = ", ".join(f"{skip.name} ({skip.reason})" for skip in config.skipped if "/" not in skip.name)
        say(f"nobody elsewhere is told yet; skipped: {skipped or 'nothing'}", "yellow")
    return ""


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
