"""Where a first file goes, and that it takes nobody's place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monitor.config.files import find, read_all
from monitor.config.names import NAMED, NAMING
from monitor.faults import ConfigError, Fault

STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to write the system `name`.

    `file` is None for the standard output; `main`, the main file, where there is one already, or none is wanted.
    `folder`: what to give to other commands; `others`: whether it holds other systems.
    """

    name: str
    file: Path | None
    folder: Path | None = None
    main: Path | None = None
    others: bool = False


def target(folder: Path, name: str, output: Path | None) -> Target:
    """Return where the file of the system `name` goes: to `output` (`-`: standard output), else into the `folder`.

    Raises `ConfigError` where the name is none, or the folder is a file; FileExistsError where one of them is taken.
    """
    if not NAMED.fullmatch(name):
        raise ConfigError([Fault(f"{name!r} is not a name", key="--system", hint=NAMING)])
    if output is not None:
        _look_at(output)
        return Target(name, None if output == STDOUT else output)
    if folder.is_file() or (not folder.exists() and folder.suffix in {".yaml", ".yml"}):
        hint = "give the folder that it stands in, or --output"
        message = "is a file, and a system is written into one of its own"
        raise ConfigError([Fault(message, file=str(folder), hint=hint)])
    file = folder / "systems" / f"{name}.yaml"
    _look_at(file)
    faults: list[Fault] = []
    mains, singles = read_all(find(folder, faults) if folder.is_dir() else (), faults)
    known = [document.data["system"] for document in singles] + [
        each for main in mains if isinstance(main.data.get("systems"), dict) for each in main.data["systems"]
    ]
    if name in known:
        raise FileExistsError(f"{folder} has a system {name!r} already: give this one another name with --system")
    return Target(name, file, folder, None if mains else folder / "monitor.yaml", others=bool(known))


def create(file: Path, text: str) -> None:
    """Write a new file, whole or not at all; raises FileExistsError where there is one, and OSError."""
    _look_at(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as made:
        try:
            made.write(text)
            made.flush()
        except BaseException:
            with suppress(OSError):
                file.unlink()
            raise


def _look_at(file: Path) -> None:
    if file != STDOUT and (file.exists() or file.is_symlink()):
        raise FileExistsError(f"{file} is there already and stays as it is: give another --system or --output")
