"""What a file can say of one step."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator

from monitor.expect import Document, Expect, Path, excerpt
from monitor.expect.rules import Pattern, compiled
from monitor.fields import Fields, PositiveDuration, ShortForm
from monitor.model import Failure, Reason
from monitor.probes.flow.template import NAME, only_place, places
from monitor.probes.web import CREDENTIAL, Headers, Method, address
from monitor.secrets import Secret

LONGEST_FOUND = 16 * 2**10
"""Characters of what may be captured: a long token, not a page."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, 9.2.1)."""
_RELATIVE = re.compile(r"/(?!/)")

CaptureName = Annotated[str, Field(pattern=f"^{NAME}$")]


class Capture(ShortForm):
    """What later steps are given of an answer; a bare text is a path in its JSON."""

    short: ClassVar[dict[type, str]] = {str: "path"}

    path: Path = ""
    """A JMESPath in the JSON of the answer; it must find a text, a number, true or false."""
    header: str = ""
    """A header of the answer."""
    matches: Pattern | None = None
    """A regular expression (RE2) that must match in the body; its first group is captured, or all that matched."""
    secret: bool | None = None
    """Whether what is found is kept out of every text; default: if its name tells of a credential, such as `token`.

    A secret is not kept over a restart, so the clean-up cannot use one of the steps: it captures one of its own.
    """

    @model_validator(mode="after")
    def _one(self) -> Capture:
        if sum(map(bool, (self.path, self.header, self.matches))) != 1:
            raise ValueError("give one of path, header and matches")
        return self

    def found(self, document: Document) -> str | int | float | bool | None:
        """Return what is found in an answer; None: nothing. Raises `Failure` for what cannot be handed on."""
        value = self._value(document)
        if isinstance(value, dict | list):
            raise Failure(Reason.BODY, f"expected a text or a number at {self.path}, got {_shown(value, document)}")
        if isinstance(value, str) and len(value) > LONGEST_FOUND:
            raise Failure(
                Reason.BODY, f"expected at most {LONGEST_FOUND:,} characters {self.place}, got {len(value):,}"
            )
        return None if value == "" else value

    def _value(self, document: Document) -> Any:  # noqa: ANN401 - any JSON value
        if self.header:
            return document.answer.header(self.header)
        if self.matches:
            match = compiled(self.matches).search(document.text)
            return (match[1] if match.re.groups else match[0]) if match else None
        return document.find(self.path)

    @property
    def place(self) -> str:
        """Return where it is looked for, in words."""
        if self.header:
            return f"in the header {self.header}"
        return f"that match /{self.matches}/" if self.matches else f"at {self.path}"


def _shown(value: object, document: Document) -> str:
    return excerpt(value, document.redact)


class Again(Fields):
    """Ask again until the answer is as expected."""

    every: PositiveDuration = timedelta(seconds=2)
    """The time from an answer to the next question."""
    within: PositiveDuration
    """How long the answer may take to become as expected."""


def _address(text: str) -> str:
    """Return `text` if what is found can fill nothing of it but path and query; raises ValueError otherwise."""
    if only_place(text) or _RELATIVE.match(text):
        return text
    before = re.match(r"[^/]*//[^/?#]*", text)
    if before and places(before[0]):
        raise ValueError("what is found cannot change scheme or host: name the origin, and fill the path")
    address(re.sub(r"[{}]", "_", text))
    return text


def _base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except ValueError:
        raise ValueError("this is not base64") from None
    return text


class StepFields(Fields):
    """One request, and what its answer must be like. `{name}` is filled with what an earlier step has captured."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    """What the step is called."""
    url: Annotated[str, AfterValidator(_address)]
    """A path on the check's `url`, such as `/api/tenants/{tenant}`, or an address of its own.

    What is found fills path and query only. An address that was captured as a whole needs `origin`.
    """
    origin: Annotated[str, AfterValidator(address)] | Literal[""] = ""
    """Where a captured address must lead: `https://bucket.example.com`."""
    method: Method = "GET"
    """Default: GET, with a body POST."""
    headers: Headers = Field(default={}, repr=False)
    """Headers besides those of the check."""
    body: Secret | None = None
    """A text to send."""
    json_: Annotated[Any, Field(alias="json")] = None
    """A value to send as JSON; `"{name}"` by itself keeps the type of what was found."""
    base64: Annotated[str, AfterValidator(_base64)] = ""
    """Bytes to send, such as a small picture, as base64 writes them."""
    form: dict[str, str] = Field(default={}, repr=False)
    """Fields to send as a form."""
    expect: Expect = Expect()
    """What the answer must be like; its JSON values are filled too."""
    capture: dict[CaptureName, Capture] = Field(default={})
    """Names, and what the answer holds for them: later steps write `{name}`."""
    again: Again | None = None
    """Ask again until the answer is as expected, for what takes its time."""
    timeout: PositiveDuration = timedelta(seconds=10)
    """The deadline of one question."""
    redirects: StrictBool | Annotated[StrictInt, Field(ge=1, le=20)] = True
    """Whether redirects are followed, or how many: up to 10."""

    @model_validator(mode="before")
    @classmethod
    def _choose_method(cls, data: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(data, dict) or "method" in data:
            return data
        return {**data, "method": "POST"} if any(data.get(key) for key in ("body", "json", "base64", "form")) else data

    @model_validator(mode="after")
    def _agree(self) -> StepFields:
        if sum((self.body is not None, self.json_ is not None, bool(self.base64), bool(self.form))) > 1:
            raise ValueError("give one of body, json, base64 and form")
        if bool(self.origin) is not bool(only_place(self.url)):
            raise ValueError("origin belongs to a url that is captured as a whole, and says where it must lead")
        return self

    @property
    def writes(self) -> bool:
        """Return whether it may change something."""
        return self.method not in SAFE

    @property
    def needs(self) -> set[str]:
        """Return what must have been captured before."""
        headers = [value.reveal() if isinstance(value, Secret) else value for value in self.headers.values()]
        body = self.body.reveal() if self.body else ""
        return places([self.url, headers, body, self.json_, self.form, self.expect.json_])

    def secret(self, name: str) -> bool:
        """Return whether what is captured as `name` is kept out of every text."""
        wished = self.capture[name].secret
        return CREDENTIAL.search(name) is not None if wished is None else wished
