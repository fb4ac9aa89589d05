"""Values and remarks as they stand in a YAML file, whoever wrote them: none can say anything but itself. Pure."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Value = str | int | float | bool

WIDTH = 110
NO_FOLDING = 100_000


def clean(text: str, longest: int = 300) -> str:
    """Return what somebody else wrote on one line, without anything that acts, hides, or that no file can hold."""
    return "".join(sign for sign in plain(text, longest) if sign.isprintable())


def scalar(value: Value) -> str:
    """Return a value on one line, as it may stand anywhere in a file: within braces, too.

    A text is taken as it is, but for what `clean` removes; no `${` in it is a variable.
    """
    if isinstance(value, str):
        value = clean(value, 2_000).replace("${", "$${")
    out = io.StringIO()
    dumper = YAML(typ="safe", pure=True)
    dumper.default_flow_style, dumper.width, dumper.allow_unicode = True, NO_FOLDING, True
    dumper.dump([value], out)
    return out.getvalue().strip()[1:-1]


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
