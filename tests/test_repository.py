"""The habits of the whole tree: what no single module's tests can hold."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import monitor

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock"]
MODULES = sorted((ROOT / "monitor").rglob("*.py"))
LONGEST_FUNCTION = 40
LISTS = {"versions"}  # a migration is a list of columns, as long as the tables are
ATTICS = {"base_classes", "common", "handler", "handlers", "helper", "helpers", "manager", "misc", "service", "utils"}

# Written so that this file does not find itself.
INDEXES = r"py[p]i\b|pythonhoste[d]|registry\.npmj[s]|--(?:extra-)?index-ur[l]"
MACHINES = r"/roo[t]/|/work/(?:mai[n]|share[d])|\.pyen[v]/versions/\d"
FOREIGN = re.compile(f"{INDEXES}|{MACHINES}")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def requirements(*groups: str) -> list[Requirement]:
    found = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    for group in groups:
        found += [Requirement(line) for line in PROJECT["dependency-groups"][group] if isinstance(line, str)]
    return found


def locked(lock: str) -> dict[str, Version]:
    pins = re.findall(r"^([\w.-]+)==([^ ;]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def tracked() -> list[Path]:
    """Return the files that belong to the tree: as git sees them, or what lies there where there is no git."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    top = [ROOT / name for name in ("monitor", "tests", "docs", "config", "benchmarks", "dashboards", ".ci")]
    return [path for folder in top for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_and_hashes_everything_and_names_no_index(lock: str) -> None:
    """Whoever installs from a lock gets the very files that were tested, from the index of his own choice."""
    entries = (ROOT / lock).read_text().replace("\\\n", "").splitlines()
    assert len(entries) > 30
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+( ; [^-]+)?\s+--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])])
def test_a_lock_holds_what_pyproject_asks_for(lock: str, groups: list[str]) -> None:
    """A dependency added without `make lock` is found without a network."""
    pins = locked(lock)
    for requirement in requirements(*groups):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_both_locks_agree() -> None:
    """Tests run on the releases that the daemon runs on."""
    run, dev = (locked(lock) for lock in LOCKS)
    assert run.items() <= dev.items()


def test_every_dependency_has_its_reason() -> None:
    """docs/why.md gives each dependency a heading of its own, and names none that is gone."""
    headings = re.findall(r"^### (.+)$", (ROOT / "docs/why.md").read_text(), re.MULTILINE)
    explained = sorted(canonicalize_name(name) for heading in headings for name in re.split(r", | and ", heading))
    assert explained == sorted(canonicalize_name(requirement.name) for requirement in requirements())


def test_no_file_names_a_package_index_or_a_machine() -> None:
    """The tree builds for anybody, from any index, in any folder."""
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            assert not FOREIGN.search(line), f"{named(path)}:{number}: {line.strip()[:120]}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_what_it_is_and_stays_readable(path: Path) -> None:
    """Each module has a noun for a name and a docstring; none of its functions is longer than a screen."""
    assert path.stem not in ATTICS
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or not tree.body, "no module docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= LONGEST_FUNCTION or path.parent.name in LISTS, f"{node.name}: {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_stand_at_the_top_of_a_module(path: Path) -> None:
    """An import inside a function hides a layer that is missing."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node)), node.name


def imported(path: Path) -> set[str]:
    """Return the top names of what a module imports from outside the package and the standard library."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"monitor"}


def importable(name: str) -> str:
    """Return the name under which a dependency is imported."""
    return {"google-re2": "re2", "protobuf": "google", "ruamel.yaml": "ruamel"}.get(name, name).replace("-", "_")


def test_the_product_imports_only_what_it_declares() -> None:
    """Nothing that only a developer has, nothing that is here by another's grace, and no unittest.mock."""
    declared = {importable(requirement.name) for requirement in requirements()} | {"pydantic_core"}  # pydantic, too
    for path in MODULES:
        assert imported(path) <= declared, named(path)
        assert "import unittest" not in path.read_text()


def test_every_dependency_is_used() -> None:
    """A dependency nobody needs any more goes. Drivers are named in addresses (sqlite+aiosqlite:); tzdata is data."""
    source = "\n".join(path.read_text() for path in MODULES)
    for requirement in requirements():
        name = importable(requirement.name)
        assert name == "tzdata" or re.search(rf"\b(import|from) {name}\b|\+{name}:", source), name


def test_the_changelog_knows_this_version() -> None:
    """An operator reads what changed before he installs it."""
    releases = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert releases[0] == "Unreleased"
    assert monitor.__version__ in releases


def test_what_the_readme_tells_to_make_can_be_made() -> None:
    """Every `make …` of the README and the docs is a target."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets >= {"run", "test", "lint", "bench", "dashboards", "lock", "help"}
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        told = set(re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE))
        assert told <= targets, named(path)


def test_the_image_stands_on_the_base_we_promise() -> None:
    """Every stage of the Dockerfile begins with python:3.13-slim, and the last does not run as root."""
    text = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.13-slim"}
    users = re.findall(r"^USER (\S+)", text, re.MULTILINE)
    assert users
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)", text, re.MULTILINE))
    user = re.sub(r"\$\{(\w+)\}", lambda found: defaults[found[1]], users[-1])
    assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user)


def test_ci_and_make_are_ready_to_run() -> None:
    """The build machine starts .ci/run directly."""
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_every_exception_from_a_rule_has_its_reason() -> None:
    """Each rule that pyproject.toml switches off says why, in its own line."""
    section = (ROOT / "pyproject.toml").read_text().split("[tool.ruff.lint]")[1].split("[tool.ruff.lint.flake8")[0]
    rules = re.findall(r'^    "[A-Z]+\d+",(.*)$', section, re.MULTILINE)
    assert len(rules) > 20
    assert all(re.match(r" *# \w+", rest) for rest in rules)
