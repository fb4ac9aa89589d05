"""Starts commands by forking a process that has imported the program: an import costs more than most commands do.

Each command is a process of its own all the same, with its own arguments, environment, working directory, files and
status. That Python finds and imports the program is proven wherever a daemon is started.

As a program, this is the process that is forked: it takes orders from the socket that is its standard input.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import socket
import subprocess
import sys
import traceback
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import monitor
from monitor import __main__ as program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPYCACHEPREFIX", "COV")
ROOT = Path(monitor.__file__).parent.parent
LARGEST_ORDER = 1 << 16


def inherited() -> dict[str, str]:
    """Return an environment with nothing in it that the developer's shell happens to have set."""
    return {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}


def start(arguments: Sequence[str], environ: Mapping[str, str], folder: Path, *files: int) -> socket.socket:
    """Start `monitor` with standard `files`; return what tells its process id, and its exit status once it ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.settimeout(0)
        order = json.dumps({"arguments": list(arguments), "environ": dict(environ), "folder": str(folder)})
        socket.send_fds(_parent(), [order.encode()], [theirs.fileno(), *files])
    return ours


@cache
def _parent() -> socket.socket:
    """Return where the process that is forked takes its orders; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-m", "tests.acceptance.forks"]
        process = subprocess.Popen(command, stdin=theirs.fileno(), env=inherited(), cwd=ROOT)
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _serve(orders: socket.socket) -> None:
    """Fork for each order until nobody can give one any more; tell whoever gave it how it ended."""
    with selectors.DefaultSelector() as waiting:

        def take() -> None:
            order, files, _, _ = socket.recv_fds(orders, LARGEST_ORDER, 4)
            if not order:
                raise SystemExit
            asked = socket.socket(fileno=files.pop(0))
            process = os.fork() or _become(files, **json.loads(order))
            asked.send(str(process).encode())
            for file in files:
                os.close(file)
            ended = os.pidfd_open(process)
            waiting.register(ended, selectors.EVENT_READ, partial(tell, process, ended, asked))

        def tell(process: int, ended: int, asked: socket.socket) -> None:
            waiting.unregister(ended)
            os.close(ended)
            with asked:
                asked.send(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())

        waiting.register(orders, selectors.EVENT_READ, take)
        while True:
            for key, _ in waiting.select():
                act: Callable[[], None] = key.data
                act()


def _become(files: Sequence[int], arguments: Sequence[str], environ: Mapping[str, str], folder: str) -> NoReturn:
    """Be the command from here on."""
    status = 1
    try:
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.closerange(len(files), os.sysconf("SC_OPEN_MAX"))
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        sys.argv = [program.__file__, *arguments]
        sys.modules["__main__"] = program
        program.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:  # noqa: BLE001 - as Python itself ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=0))
