"""The JSON in an answer, and what a JMESPath finds there. Others wrote it: no shape of it may crash us."""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import AfterValidator

from monitor.expect.excerpt import excerpt
from monitor.model import Failure, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.answer import Answer

MOST_NODES = 50_000
"""Lists and objects in a document: a megabyte of nothing else holds up every other probe for 100 ms."""


def _valid(path: str) -> str:
    try:
        unknown = set(_functions(jmespath.compile(path).parsed)) - Functions.FUNCTION_TABLE.keys()
    except JMESPathError as error:
        raise ValueError(f"{path!r} is not a JMESPath: {str(error).splitlines()[0]}") from None
    if unknown:
        raise ValueError(f"{path!r} uses what is no function of JMESPath: {', '.join(map(repr, sorted(unknown)))}")
    return path


def _functions(node: Any) -> Iterator[str]:  # noqa: ANN401 - a tree, and numbers where it slices
    if not isinstance(node, dict):
        return
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        yield from _functions(child)


Path = Annotated[str, AfterValidator(_valid)]
"""A JMESPath, as jmespath.org defines it."""


class Json:
    """JSON that somebody else wrote, read when it is first asked for. `redact` is applied to whatever a failure quotes.

    `truncated`: there was more than `body`.
    """

    def __init__(self, body: bytes, redact: Callable[[str], str] = str, *, truncated: bool = False) -> None:
        self.redact = redact
        self._body = body
        self._truncated = truncated

    @property
    def text(self) -> str:
        """Return the body as people read it."""
        return self._body.decode("utf-8", "replace")

    def find(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return what `path` finds, None if nothing.

        Raises `Failure` (body) if the functions in it do not fit the values, or if the body is not JSON as RFC 8259 has
        it, with each key once.
        """
        return search(path, self._root, self.redact)

    @cached_property
    def _root(self) -> Any:  # noqa: ANN401 - any JSON value
        if self._truncated:
            raise Failure(Reason.BODY, f"expected JSON, got more than {len(self._body):,} bytes")
        if self._body.count(b"[") + self._body.count(b"{") > MOST_NODES:
            raise Failure(Reason.BODY, f"expected JSON, got some with more than {MOST_NODES:,} lists and objects")
        try:
            return json.loads(self._body.decode("utf-8-sig"), parse_constant=_refused, object_pairs_hook=_unique)
        except RecursionError:
            raise Failure(Reason.BODY, "expected JSON, got some that is nested too deeply") from None
        except _DuplicateKeyError as error:
            name = excerpt(error.args[0], self.redact)
            raise Failure(Reason.BODY, f"expected JSON, got some with the key {name} twice") from None
        except UnicodeDecodeError:
            raise Failure(Reason.BODY, "expected JSON, got text that is not UTF-8") from None
        except ValueError:
            raise Failure(Reason.BODY, f"expected JSON, got {excerpt(self.text, self.redact)}") from None


class Document(Json):
    """The JSON of an answer."""

    def __init__(self, answer: Answer, redact: Callable[[str], str] = str) -> None:
        super().__init__(answer.body, redact, truncated=answer.truncated)
        self.answer = answer

    @property
    def text(self) -> str:
        """Return the body as the answer says it is to be read."""
        return self.answer.text


def search(path: str, root: Any, redact: Callable[[str], str] = str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what `path` finds in `root`, None if nothing.

    Raises `Failure` (body) if the functions in it do not fit the values.
    """
    try:
        return jmespath.compile(path).search(root)
    except RecursionError:
        raise Failure(Reason.BODY, f"{path} met JSON that is nested too deeply") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Failure(Reason.BODY, f"{path} does not fit: {excerpt(str(error), redact)}") from None


class _DuplicateKeyError(ValueError):
    """An object holds a key twice, so that its meaning depends on who reads it."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((name, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _DuplicateKeyError(name)
    return found


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
