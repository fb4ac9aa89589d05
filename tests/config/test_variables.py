import pytest

from monitor.config.variables import STAND_INS, Variables, url_secrets


def read(text: str, environ: dict[str, str], *, plain: bool = True) -> tuple[object, ...]:
    return Variables(environ).read(text, plain=plain).readings


@pytest.mark.parametrize(
    ("text", "environ", "readings"),
    [
        ("${A}", {"A": "text"}, ("text",)),
        ("${A}", {"A": "80"}, (80, "80")),
        ("${A}", {"A": "true"}, (True, "true")),
        ("${A}", {"A": "0123"}, (123, "0123")),
        ("${A:-30s}", {}, ("30s",)),
        ("${A:-5}", {}, (5, "5")),
        ("${A:-5}", {"A": ""}, (5, "5")),
        ("${A:-}", {}, (None, "")),
        ("x${A}", {"A": "5"}, ("x5",)),
        ("${A}${B}", {"A": "5", "B": "6"}, ("56",)),
        ("${A}/${B:-b}", {"A": "a"}, ("a/b",)),
        ("$${A}", {}, ("${A}",)),
        ("$$${A}", {"A": "a"}, ("$${A}",)),
        ("${A}", {"A": "${B}", "B": "b"}, ("${B}",)),
        ("${A:-it's $5}", {}, ("it's $5",)),
    ],
)
def test_variables_are_put_in_once_and_typed_when_they_are_all_there_is(
    text: str, environ: dict[str, str], readings: tuple[object, ...]
) -> None:
    """What comes out of a variable is never looked at for variables again."""
    assert read(text, environ) == readings


def test_a_quoted_text_stays_a_text() -> None:
    assert read("${A}", {"A": "80"}, plain=False) == ("80",)


@pytest.mark.parametrize("text", ["${", "${}", "${A", "${1A}", "${A-b}", "${ A }", "${A:-${B}}"])
def test_a_beginning_that_is_no_variable_is_told(text: str) -> None:
    assert Variables({"A": "a", "B": "b"}).read(text, plain=True).broken


def test_an_unset_variable_is_named_and_stood_in_for() -> None:
    """An address is the likeliest where a text begins with the variable, and the least likely within one."""
    variables = Variables({})
    scalar = variables.read("${URL}/health", plain=True)
    assert scalar.unset == ("URL",)
    assert scalar.guessed
    assert scalar.readings[0] == f"{STAND_INS[0]}/health"
    assert variables.read("tcp://${HOST}:80", plain=True).readings[0] == "tcp://placeholder.invalid:80"
    assert variables.used == {"URL", "HOST"}


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("API_TOKEN", "hunter2", {"hunter2"}),
        ("API_URL", "https://api.example.com/v1", set()),
        ("API_HOST", "api.example.com", set()),
        ("PORT", "80", set()),
        ("HOSTNAME", "web-1", {"web-1"}),
        ("API_URL", "https://api.example.com/?key=hunter2", {"https://api.example.com/?key=hunter2", "hunter2"}),
        ("DB_URL", "pg://me:p%40ss@db/x", {"pg://me:p%40ss@db/x", "p%40ss", "p@ss"}),
        ("REDIS_URL", "redis://red-abc:6379/1?ssl_cert_reqs=none", set()),
        ("REDIS_URL", "redis://hunter2@cache", {"redis://hunter2@cache", "hunter2"}),
        ("REDIS_URL", "rediss://me:p%40ss@cache", {"rediss://me:p%40ss@cache", "p%40ss", "p@ss"}),
        ("REDIS_URL", "unix:///run/redis?password=hunter2", {"unix:///run/redis?password=hunter2", "hunter2"}),
        ("DSN_URL", "https://key@sentry.example.com/1", {"https://key@sentry.example.com/1", "key"}),
    ],
)
def test_values_are_secret_unless_the_name_is_public_and_nothing_is_hidden_in_them(
    name: str, value: str, secret: set[str]
) -> None:
    variables = Variables({name: value})
    variables.read("${" + name + "}", plain=True)
    assert variables.secrets == secret


def test_a_default_stands_in_the_file_and_is_no_secret() -> None:
    variables = Variables({})
    variables.read("${TOKEN:-open}", plain=True)
    assert not variables.secrets


@pytest.mark.parametrize("text", ["http://[", "no address", "mailto:a@b", ""])
def test_what_is_no_address_hides_nothing(text: str) -> None:
    assert not list(url_secrets(text))
