"""Values and remarks as they stand in a YAML file, whoever wrote them: none can say anything but itself. Pure."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from monitor.config.yaml_file import core
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Value = str | int | bool

WIDTH = 110
LONGEST = 2_000

_BARE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./()?!'-]|:(?=[/0-9])| (?=[A-Za-z0-9(]))*")
"""A text that needs no quotes, wherever it stands."""


def clean(text: str, longest: int = 300) -> str:
    """Return what somebody else wrote on one line, without anything that acts, hides, or that no file can hold."""
    return " ".join("".join(sign for sign in plain(text, longest) if sign.isprintable()).split())


def scalar(value: Value) -> str:
    """Return a value on one line, as it may stand anywhere in a file: within braces, too.

    A text is taken as it is, but for what `clean` removes; no `${` in it is a variable. (The writer of
    ruamel.yaml leaves some texts bare that its reader then refuses within braces, such as `?0`.)
    """
    if not isinstance(value, str):
        return json.dumps(value)
    text = clean(value, LONGEST).replace("${", "$${")
    if _BARE.fullmatch(text) and core(text) == text:
        return text
    return "'{}'".format(text.replace("'", "''"))


def variable(name: str) -> str:
    """Return a value that is taken from the environment."""
    return f'"${{{name}}}"'


def mapping(values: Mapping[str, str]) -> str:
    """Return a mapping on one line; its values are scalars, or mappings, that were written already."""
    return f"{{{', '.join(f'{scalar(key)}: {value}' for key, value in values.items())}}}"


def listed(values: Iterable[str]) -> str:
    """Return a list on one line, of values that were written already."""
    return f"[{', '.join(values)}]"


def remark(text: str, indent: int = 0) -> list[str]:
    """Return a comment, on as many lines as it needs."""
    lines = textwrap.wrap(clean(text, 1_000), WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return [f"{' ' * indent}# {line}" for line in lines]
