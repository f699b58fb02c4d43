"""Where a history can be, what its errors say, and how it is copied."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from botkit.errors import ConfigError, HistoryDown, HistoryError
from botkit.monitor.history import Finished, History, latest
from botkit.monitor.history.database import open_engine, parse_url, transaction
from botkit.monitor.history.schema import VERSION, bring_up_to_date

MakeFinished = Callable[..., Finished]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("/var/lib/botkit.db", "sqlite:////var/lib/botkit.db"),
        ("sqlite:////var/lib/botkit.db", "sqlite:////var/lib/botkit.db"),
        ("postgresql://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgres://u@h/db", "postgresql+psycopg://u@h/db"),
        ("postgresql+psycopg2://u@h/db", "postgresql+psycopg://u@h/db"),
    ],
)
def test_a_place_is_a_path_or_a_url(given: str, found: str) -> None:
    assert parse_url(given).render_as_string(hide_password=False) == found


def test_a_relative_path_stays_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_url("history.db").database == str(tmp_path / "history.db")


BAD_PORT = "postgresql://ada:hunter2@h:port/db"


@pytest.mark.parametrize(
    "url", ["mysql://h/db", "sqlite://", "sqlite:///:memory:", "://", "x://", BAD_PORT]
)
def test_other_places_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="history"):
        parse_url(url)


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install botkit\[postgres\]"):
        History("postgresql://ada@127.0.0.1/db")


@pytest.mark.parametrize(
    "given", ["ada:hunter2@127.0.0.1:1/db", "ada@127.0.0.1:1/db?password=hunter2"]
)
def test_the_password_is_in_no_error(given: str) -> None:
    history = History(f"postgresql://{given}")
    with pytest.raises(HistoryDown) as caught:
        history.open()
    history.close()
    assert "history in postgresql://ada" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_values_are_in_no_error(tmp_path: Path, make: MakeFinished) -> None:
    path = tmp_path / "history.db"
    history = History(str(path))
    history.write([make("1")])
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE evidence")
    with pytest.raises(HistoryDown) as caught:
        history.write([make("2", message="my card is 1234")])
    history.close()
    assert "no such table: evidence" in str(caught.value)
    assert "1234" not in str(caught.value)


def test_the_file_is_for_its_owner_alone(tmp_path: Path, make: MakeFinished) -> None:
    history = History(str(tmp_path / "history.db"))
    history.write([make("1")])
    assert {path.name for path in tmp_path.glob("history*")} >= {"history.db", "history.db-wal"}
    for path in tmp_path.glob("history*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    history.close()


def test_it_stands_on_the_disk_when_it_is_stored(tmp_path: Path, make: MakeFinished) -> None:
    engine = open_engine(parse_url(str(tmp_path / "history.db")))
    with transaction(engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        full = 2
        assert connection.execute(text("PRAGMA synchronous")).scalar() == full
    engine.dispose()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a file of somebody" * 100, "not a database"), (None, "no ordinary file")],
)
def test_a_file_of_somebody_else_is_left_alone(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(content) if content else path.mkdir()
    history = History(str(path))
    with pytest.raises(HistoryError, match=said):
        history.ask(latest, "smoke")
    history.close()
    assert content is None or path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE journeys (ours TEXT)")
    history = History(str(path))
    with pytest.raises(HistoryError, match="of another program"):
        history.ask(latest, "smoke")
    history.close()


def test_a_folder_that_is_not_there_is_down(tmp_path: Path) -> None:
    history = History(str(tmp_path / "nowhere" / "history.db"))
    with pytest.raises(HistoryDown, match="No such file"):
        history.ask(latest, "smoke")


# --- versions -------------------------------------------------------------------------------------


def test_an_old_history_goes_through_all_steps_once(url: str, make: MakeFinished) -> None:
    """Steps as later versions will have them, on a store with a journey in it."""
    history = History(url)
    history.write([make("1")])
    taken = []

    def add_column(connection: Connection) -> None:
        taken.append("column")
        connection.execute(text("ALTER TABLE journeys ADD COLUMN region TEXT DEFAULT 'eu'"))

    steps = {VERSION: add_column, VERSION + 1: lambda _: taken.append("nothing")}
    engine = open_engine(parse_url(url))
    for _ in range(2):
        with transaction(engine, writes=True) as connection:
            bring_up_to_date(connection, steps=steps, newest=VERSION + 2)
    assert taken == ["column", "nothing"]
    with transaction(engine) as connection:
        assert connection.execute(text("SELECT region FROM journeys")).scalars().all() == ["eu"]
        version = connection.execute(text("SELECT version FROM botkit_history")).scalar_one()
    assert version == VERSION + 2
    engine.dispose()
    history.close()


def test_a_step_that_fails_changes_nothing(url: str, make: MakeFinished) -> None:
    history = History(url)
    history.write([make("1")])

    def fail(connection: Connection) -> None:
        connection.execute(text("DROP TABLE evidence"))
        raise HistoryError("it broke")

    engine = open_engine(parse_url(url))
    with (
        pytest.raises(HistoryError, match="it broke"),
        transaction(engine, writes=True) as connection,
    ):
        bring_up_to_date(connection, steps={VERSION: fail}, newest=VERSION + 1)
    engine.dispose()
    history.write([make("2")])
    assert len(history.ask(latest, "smoke")) == 2
    history.close()


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_whole_while_others_write(tmp_path: Path, make: MakeFinished) -> None:
    path, copy = tmp_path / "history.db", tmp_path / "copy.db"
    history = History(str(path))
    history.write(make(str(n), at=n) for n in range(100))
    writing = open_engine(parse_url(str(path)))
    with transaction(writing, writes=True) as connection:
        connection.execute(text("DELETE FROM journeys"))
        history.back_up(copy)
    writing.dispose()
    copied = History(str(copy))
    assert len(copied.ask(latest, "smoke", limit=1_000)) == 100
    assert copied.write([make("new")]) == 1
    assert not stat.S_IMODE(copy.stat().st_mode) & 0o077
    with pytest.raises(HistoryError, match="is there already"):
        history.back_up(copy)
    with pytest.raises(HistoryError, match="cannot be made"):
        history.back_up(tmp_path / "nowhere" / "copy.db")
    copied.close()
    history.close()


def test_postgres_has_its_own_copies(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="pg_dump"):
        History("postgresql://ada@127.0.0.1/db").back_up(tmp_path / "copy")
