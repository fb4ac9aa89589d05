"""Which files make up a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config.yaml_file import Document, read
from monitor.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUFFIXES = {".yaml", ".yml"}
MAIN = "monitor"


def find(source: Path, faults: list[Fault]) -> list[Path]:
    """Return the YAML files of `source`, the main one first: itself, or those in the folder and in its `systems`."""
    try:
        if not source.is_dir():
            return [source]
        files = [*_yaml_in(source), *_yaml_in(source / "systems")]
    except OSError as error:
        faults.append(Fault(f"cannot be read: {error.strerror or type(error).__name__}", file=str(source)))
        return []
    if not files:
        hint = "it needs monitor.yaml, or a file for each system"
        faults.append(Fault("the folder holds no file that ends in .yaml or .yml", file=str(source), hint=hint))
    return files


def read_all(files: Iterable[Path], faults: list[Fault]) -> tuple[list[Document], list[Document]]:
    """Return what is in the main files and what is in the files of one system each."""
    documents = [document for path in files if (document := read(path, faults)) is not None]
    mains = [document for document in documents if "system" not in document.data]
    return mains, [document for document in documents if "system" in document.data]


def _yaml_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith(".")]
    return sorted(found, key=lambda path: (path.stem != MAIN, path.name))
