from __future__ import annotations

from pathlib import Path

import pytest

from botkit.cli.settings import find_settings
from botkit.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_there_are_no_settings(project: Path) -> None:
    assert find_settings(project).file is None
    assert find_settings(project).values == {}


def test_the_nearest_file_counts(project: Path) -> None:
    inner = project / "a" / "b"
    inner.mkdir(parents=True)
    (project / "botkit.toml").write_text('server = "http://outer"')
    (project / "a" / "pyproject.toml").write_text('[tool.botkit]\nserver = "http://inner"')
    assert find_settings(inner).values == {"server": "http://inner"}
    assert find_settings(project).values == {"server": "http://outer"}


def test_a_project_file_without_the_table_is_passed_over(project: Path) -> None:
    inner = project / "a"
    inner.mkdir()
    (project / "botkit.toml").write_text("jobs = 3")
    (inner / "pyproject.toml").write_text('[project]\nname = "botkit-tests"')
    assert find_settings(inner).values == {"jobs": 3}


def test_each_kind_of_value_has_its_form(project: Path) -> None:
    (project / "botkit.toml").write_text(
        """
        paths = ["bots"]
        fail_on = "degraded"
        insecure = true
        jobs = 7
        tag = ["smoke", "!slow"]
        option = {channel = "/service/chat", "poll.limit" = 3, strict = true}
        header = ["X-Site: a:b"]
        """
    )
    assert find_settings(project).values == {
        "paths": ["bots"],
        "fail_on": "degraded",
        "insecure": True,
        "jobs": 7,
        "tag": ["smoke", "!slow"],
        "option": ["channel=/service/chat", "poll.limit=3", "strict=true"],
        "header": ["X-Site: a:b"],
    }


def test_paths_are_relative_to_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = project / "a"
    (project / "plugins").mkdir()
    inner.mkdir()
    (project / "botkit.toml").write_text(
        'plugins = ["plugins"]\njson = "-"\njunit = "out.xml"\njunit-attachments = "pages"'
    )
    monkeypatch.chdir(inner)
    values = find_settings(inner).values
    assert values == {
        "plugins": ["../plugins"],
        "json": "-",
        "junit": "../out.xml",
        "junit_attachments": "../pages",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('servr = "x"', "botkit.toml:1: there is no setting 'servr'; did you mean 'server'?"),
        ("\n\nzzz = 1", "botkit.toml:3: there is no setting 'zzz'"),
        ("[nothing]\nx = 1", "botkit.toml:1: there is no setting 'nothing'"),
        ('jobs = "ten"', "botkit.toml:1: jobs: it must be a whole number"),
        ("jobs = true", "botkit.toml:1: jobs: it must be a whole number"),
        ("jobs = 0", "botkit.toml:1: jobs: 0 is not in the range x>=1."),
        ('server = ""', "botkit.toml:1: server: it is empty; is a variable unset?"),
        ("server = 1", "botkit.toml:1: server: it must be a text"),
        ('insecure = "yes"', "botkit.toml:1: insecure: it must be true or false"),
        ('tag = "smoke"', "botkit.toml:1: tag: it must be a list of texts"),
        ("var = 1", "botkit.toml:1: var: it must be a table, or a list of texts"),
        ('var = ["x"]', "botkit.toml:1: var: it must be NAME=VALUE"),
        ("[var]\nx = [1]", "botkit.toml:1: var: the values must be texts or numbers"),
        ('auth = "secret"', "botkit.toml:1: auth: it must be USER:PASSWORD"),
        ('fail-on = "slow"', "botkit.toml:1: fail-on: 'slow' is not"),
        ('junit = "no/such/out.xml"', "botkit.toml:1: junit: there is no folder no/such"),
        ('agents = "none.yaml"', "botkit.toml:1: agents: File 'none.yaml' does not exist."),
        ("server = @\n", "botkit.toml:1: this is no TOML"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(project: Path, text: str, message: str) -> None:
    (project / "botkit.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_settings(project)
    assert str(caught.value).startswith(message)
    assert "secret" not in str(caught.value)


def test_the_line_of_a_setting_in_a_project_file(project: Path) -> None:
    text = '[tool.other]\nservr = 1\n\n[tool.botkit]\njobs = 2\nservr = "x"\n'
    (project / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"pyproject\.toml:6: there is no setting 'servr'"):
        find_settings(project)


def test_what_is_no_text_is_told(project: Path) -> None:
    (project / "botkit.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"botkit.toml: cannot be read"):
        find_settings(project)
