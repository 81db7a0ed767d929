"""A copy taken while others write, and the way back; a broken file is named and left alone."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from monitor import config
from monitor.cli import main
from monitor.store import ledger
from monitor.store.backup import backup, examine, restore
from monitor.store.database import Database, StoreDamaged, StoreRefused, StoreUnavailable
from monitor.store.files import alone, held, url_of
from monitor.store.soundness import read_through
from sla.ledger import Entry
from tests.running_service import a_place, practising


def _note(database: Database, text: str) -> None:
    with database.begin() as tx:
        ledger.append(tx, Entry(kind="user-report", recorded_us=1, by="ops", reason=text, from_us=1))


def _notes(database: Database) -> list[str]:
    with database.read() as tx:
        return [sealed.entry.reason for sealed in ledger.read(tx)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "loketwacht.db"


@pytest.fixture
def store(path: Path) -> Database:
    database = Database.open(f"sqlite:///{path}")
    _note(database, "before")
    return database


def test_a_backup_holds_what_was_committed_and_is_one_file(store: Database, path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "one.db"
    backup(f"sqlite:///{path}", copy)  # while the store is open and its journal holds the newest pages
    _note(store, "after")
    store.close()
    assert [file.name for file in copy.parent.iterdir()] == ["one.db"]
    opened = Database.open(f"sqlite:///{copy}", migrate=False)
    assert _notes(opened) == ["before"]
    opened.close()


def test_a_backup_does_not_wait_for_a_writer_nor_take_half_of_its_work(
    store: Database, path: Path, tmp_path: Path
) -> None:
    with store.begin() as tx:
        ledger.append(tx, Entry(kind="user-report", recorded_us=2, by="ops", reason="half-way", from_us=2))
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    store.close()
    opened = Database.open(f"sqlite:///{tmp_path / 'copy.db'}", migrate=False)
    assert _notes(opened) == ["before"]
    opened.close()


def test_a_backup_ends_although_others_commit_all_the_time(store: Database, path: Path, tmp_path: Path) -> None:
    """A copy that began anew at each commit of somebody else would never end on a store that takes long to copy."""
    with store.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE ballast (block BLOB)")
        tx.exec_driver_sql("INSERT INTO ballast SELECT zeroblob(24000000)")
    program = (
        "import sqlite3, sys, time\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=5)\n"
        "until = time.monotonic() + 180\n"
        "while time.monotonic() < until:\n"
        '    connection.execute("UPDATE alembic_version SET version_num = version_num")\n'
        "    print(flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()  # it writes by now
            copying = threading.Thread(target=backup, args=(f"sqlite:///{path}", tmp_path / "copy.db"), daemon=True)
            copying.start()
            copying.join(timeout=120)
            assert not copying.is_alive()
        finally:
            writer.kill()
    store.close()
    assert (tmp_path / "copy.db").is_file()


def test_a_backup_never_takes_the_place_of_another(store: Database, path: Path, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "copy.db").write_text("an older backup")
    with pytest.raises(StoreRefused, match="exists already"):
        backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "an older backup"


def test_restoring_sets_aside_what_was_there(store: Database, path: Path, tmp_path: Path) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    _note(store, "after")
    store.close()
    with pytest.raises(StoreRefused, match="reaches entry 2, that of the backup entry 1"):
        restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="20261112T103217Z")
    aside = restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="20261112T103217Z", over_newer=True)
    assert aside == path.with_name("loketwacht.db.before-20261112T103217Z")
    for file, notes in ((path, ["before"]), (aside, ["before", "after"])):
        opened = Database.open(f"sqlite:///{file}")
        assert _notes(opened) == notes
        opened.close()


def test_restoring_is_refused_while_the_store_is_in_use(store: Database, path: Path, tmp_path: Path) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    with store.read() as tx:
        assert ledger.head(tx) is not None
        with pytest.raises(StoreUnavailable, match="stop the monitor first"):
            restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")
    assert _notes(store) == ["before"]
    store.close()


def _damaged_header(path: Path) -> bytes:
    with closing(sqlite3.connect(path)) as connection:  # or the journal would still have its first page whole
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)
    return path.read_bytes()


def test_restoring_is_refused_under_a_running_monitor_whose_file_can_no_longer_be_read(
    store: Database, path: Path, tmp_path: Path
) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    with held(f"sqlite:///{path}"):
        before = _damaged_header(path)
        with pytest.raises(StoreUnavailable, match="Stop the monitor first"):
            restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")
        assert path.read_bytes() == before
    store.close()
    assert restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now") is not None


def test_a_store_is_held_by_many_and_by_the_killed_no_more(path: Path) -> None:
    program = (
        "import sys, time\n"
        "from monitor.store.files import held\n"
        "with held(sys.argv[1]):\n"
        "    print(flush=True)\n"
        "    time.sleep(60)\n"
    )
    with (
        held(f"sqlite:///{path}"),
        subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}"], stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None
        other.stdout.readline()  # it holds the store by now
        other.kill()
    with alone(path):
        pass


def test_a_monitor_does_not_start_in_the_middle_of_a_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = a_place(tmp_path, journeys=("startpagina",))
    with alone(tmp_path / "var" / "loketwacht.db"), practising(place):
        assert main(["run", "--config", str(place.config)]) == 4
    assert "is being restored" in capsys.readouterr().err
    assert not (tmp_path / "var" / "loketwacht.db").exists()


@pytest.mark.parametrize("name", ["a#b", "what?mode=memory", "50%20off", "%3f"])
def test_the_path_of_a_store_may_hold_letters_that_mean_something_in_a_url(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "loketwacht.db"
    store = Database.open(url_of(path))
    _note(store, "before")
    assert path.is_file()
    assert asyncio.run(read_through(path)) == "ok"
    backup(url_of(path), tmp_path / name / "copy.db")
    _note(store, "after")
    store.close()
    examine(url_of(path))
    with pytest.raises(StoreRefused, match="reaches entry 2"):
        restore(url_of(path), tmp_path / name / "copy.db", stamp="now")
    restore(url_of(path), tmp_path / name / "copy.db", stamp="now", over_newer=True)
    _torn(path)
    with pytest.raises(StoreDamaged):
        examine(url_of(path))
    assert {file.name for file in tmp_path.iterdir()} == {name}


def test_a_folder_of_data_may_have_such_a_name(tmp_path: Path) -> None:
    loaded = config.load(a_place(tmp_path / "a#b?c%20d", journeys=("startpagina",)).config)
    assert Path(str(make_url(loaded.database_url).database)) == tmp_path / "a#b?c%20d" / "var" / "loketwacht.db"


def test_a_backup_whose_ledger_was_altered_is_refused(store: Database, path: Path, tmp_path: Path) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    store.close()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection, connection:
        connection.execute("DROP TRIGGER ledger_no_update")
        connection.execute("UPDATE ledger SET reason = 'never'")
    with pytest.raises(StoreRefused, match="does not hold from entry 1"):
        restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")
    assert sorted(file.name for file in path.parent.iterdir()) == ["loketwacht.db", "loketwacht.db.held"]


def test_a_store_of_a_newer_version_keeps_its_place(store: Database, path: Path, tmp_path: Path) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    with store.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreRefused, match="newer version"):
        restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")


def _torn(file: Path) -> None:
    """The second half of every page but the first overwritten: what a failing disk leaves."""
    body = bytearray(file.read_bytes())
    for page in range(4096, len(body), 4096):
        body[page + 8 : page + 2048] = b"\xff" * 2040
    file.write_bytes(body)


def _no_database(file: Path) -> None:
    file.write_text("a letter, not a database\n" * 400)


@pytest.mark.parametrize("spoil", [_torn, _no_database])
def test_a_damaged_backup_is_refused_and_the_store_stays(
    store: Database, path: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    store.close()
    spoil(tmp_path / "copy.db")
    with pytest.raises(StoreRefused, match=r"damaged|no sound SQLite"):
        restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")
    opened = Database.open(f"sqlite:///{path}")
    assert _notes(opened) == ["before"]
    opened.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["loketwacht.db", "loketwacht.db.held"]


@pytest.mark.parametrize("spoil", [_torn, _no_database])
def test_a_damaged_store_is_named_and_a_backup_takes_its_place(
    store: Database, path: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="db restore"):
        opened = Database.open(f"sqlite:///{path}")
        try:
            _notes(opened)
        finally:
            opened.close()
    assert path.read_bytes() == before
    aside = restore(f"sqlite:///{path}", tmp_path / "copy.db", stamp="now")
    assert aside is not None
    assert aside.read_bytes() == before
    opened = Database.open(f"sqlite:///{path}")
    assert _notes(opened) == ["before"]
    opened.close()


def test_a_monitor_does_not_start_over_a_damaged_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row T32's neighbour: exit 4, and the way back in one sentence; the file stays as it was."""
    place = a_place(tmp_path)
    file = tmp_path / "var" / "loketwacht.db"
    Database.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    _torn(file)
    before = file.read_bytes()
    assert main(["run", "--config", str(place.config)]) == 4
    said = capsys.readouterr().err
    assert "is damaged" in said
    assert "loketwacht db restore FILE" in said
    assert file.read_bytes() == before


@pytest.mark.postgres
def test_postgresql_is_copied_and_restored_by_its_own_tools(postgres_url: str, tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("Debian's postgresql-client is not installed")
    database = Database.open(postgres_url)
    _note(database, "before")
    backup(postgres_url, tmp_path / "copy.dump")
    with pytest.raises(StoreRefused, match="pg_restore"):
        restore(postgres_url, tmp_path / "copy.dump", stamp="now")  # it is not empty
    assert _notes(database) == ["before"]
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    restore(postgres_url, tmp_path / "copy.dump", stamp="now")
    assert _notes(database) == ["before"]
    database.close()
