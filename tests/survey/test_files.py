"""Nothing is overwritten, and nothing is half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.faults import ConfigError
from monitor.survey.files import STDOUT, Target, create, target
from monitor.survey.written import main_text
from tests.survey.files import loaded

MAIN = "channels: {ops: https://hook.example.com/}\nsystems: {cart: {checks: {site: https://cart.example.com/}}}\n"


def test_a_folder_that_is_not_there_gets_a_main_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "config"
    where = target(folder, "shop", None)
    assert where == Target("shop", folder / "systems" / "shop.yaml", folder, folder / "monitor.yaml")
    assert where.file
    create(where.file, "system: shop\n")
    assert where.file.read_text() == "system: shop\n"


def test_a_folder_with_a_main_file_of_any_name_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "team.yml").write_text(MAIN)
    where = target(tmp_path, "shop", None)
    assert (where.main, where.others) == (None, True)


@pytest.mark.parametrize("name", ["cart", "shop", "shop-2"])
def test_no_file_and_no_name_is_taken_from_another(name: str, tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "team.yml").write_text(MAIN)
    (tmp_path / "systems" / "shop.yaml").write_text("system: shop-2\nchecks: {a: https://a.example.com/}\n")
    with pytest.raises(FileExistsError, match="already"):
        target(tmp_path, name, None)


def test_an_output_is_taken_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "here.yaml"
    assert target(tmp_path, "shop", file) == Target("shop", file)
    assert target(tmp_path, "shop", STDOUT) == Target("shop", None)
    file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError, match="stays as it is"):
        target(tmp_path, "shop", file)
    with pytest.raises(FileExistsError, match="stays as it is"):
        create(file, "system: shop\n")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_no_folder_and_not_everything_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(MAIN)
    for folder, name, said in (
        (tmp_path / "monitor.yaml", "shop", "is a file"),
        (Path("monitor.yaml.yaml"), "shop", "is a file"),
        (tmp_path, "The shop", "is not a name"),
    ):
        with pytest.raises(ConfigError, match=said):
            target(folder, name, None)


def test_who_came_meanwhile_stays(tmp_path: Path) -> None:
    where = target(tmp_path, "shop", None)
    assert where.file
    where.file.parent.mkdir()
    where.file.write_text("theirs")
    with pytest.raises(FileExistsError):
        create(where.file, "ours")
    assert where.file.read_text() == "theirs"


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A lone surrogate cannot be written as UTF-8, as a full disk takes no more."""
    with pytest.raises(UnicodeEncodeError):
        create(tmp_path / "shop.yaml", "system: \ud800\n")
    assert list(tmp_path.iterdir()) == []


def test_the_first_main_file_uses_what_is_set() -> None:
    text = "system: shop\nchecks: {site: https://shop.example.com/}\n"
    bare = loaded(text)
    assert [*bare.channels] == ["terminal"]
    environ = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x", "SMTP_URL": "smtp://127.0.0.1:25"}
    whole = loaded(text, {**environ, "ONCALL_EMAIL": "oncall@example.com"})
    assert [*whole.channels] == ["terminal", "ops", "oncall"]
    assert "hooks.slack" not in main_text()
