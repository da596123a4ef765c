"""The study database: SQLite in WAL mode by default, PostgreSQL by URL. Trouble with it is one clear line."""

import contextlib
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, event, insert, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from ganlib.errors import InputError
from ganlib.study import schema

#: How long a writer waits for others before it gives up, s.
TIMEOUT_S = 15.0
_FULL = "the disk of the database is full; free space and try again (earlier answers are stored)"
_REMEDIES = {
    "database is locked": "locked by another program for more than {timeout_s:g} s; end it, or use PostgreSQL",
    "is full|No space left|could not extend file": _FULL,
    "not a database": "not an SQLite database; give another file",
    "malformed": "the database file is damaged; restore it from a copy",
    "readonly|read-only": "cannot be written; check the permissions of the file and of its folder",
    "unable to open": "cannot be opened; check the path and its permissions",
    "disk I/O error": "the disk reports an error or a quota that is used up; check it (earlier answers are stored)",
    "authentication failed|no password supplied": "the server refuses the user or the password; check the URL",
    '(database|role) ".*" does not exist': "there is no such database or user; create it, or correct the URL",
    "connection|server closed|name resolution": "the server cannot be reached; check that it runs, and the URL",
}
_ADVISORY_LOCK = 0x67616E6C  # any number will do, as long as all agree on it


class StudyDatabase:
    """Connections to a study database.

    Args:
        address: path of an SQLite file, or a database URL such as `postgresql://user@host/name`.
        create: make the tables if the database is empty, and the SQLite file if it is missing.
        timeout_s: how long to wait for another writer, s.

    Raises:
        InputError: the database is missing, of another version or another program, cannot be reached, or its driver is
            not installed.
    """

    def __init__(self, address, *, create=False, timeout_s=TIMEOUT_S):
        self._url = _url(address)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _engine(self._url, timeout_s)
        self._timeout_s = timeout_s
        if self.is_sqlite:
            self._prepare_file(create)
        with self._explaining():
            self._check_version(create)

    def __repr__(self):
        return f"StudyDatabase({self.shown!r})"

    @property
    def shown(self):
        """The address without a password, as in messages."""
        return self._url.database if self.is_sqlite else self._url.render_as_string(hide_password=True)

    def close(self):
        """Close all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self):
        """A connection for reading, within one transaction; `InputError` if there is trouble."""
        with self._explaining(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self):
        """A connection for writing: committed at the end of the block, or not at all; `InputError` if there is trouble.

        What was read in the block stays true until the commit: SQLite is locked for other writers from the beginning
        (a lock that is only asked for at the first write can fail without waiting).
        """
        with self._explaining(), self._engine.connect() as connection:
            connection = connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def _prepare_file(self, create):
        path = Path(self._url.database)
        if not create and not path.is_file():
            raise InputError(f"{path}: no such study database; create a study first")
        if not create or path.is_file():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path}: cannot be made ({error.strerror}); choose another folder") from error
        with self._explaining():
            raw = self._engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                raw.close()

    def _check_version(self, create):
        if create:
            with self._engine.connect() as connection:
                connection = connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
                with connection.begin():
                    self._create_tables(connection)
        with self._engine.connect() as connection, connection.begin():
            found = _version(connection)
        if found is None:
            raise InputError(f"{self.shown}: not a database of ganlib studies; give another file or URL")
        if found != schema.VERSION:
            raise InputError(
                f"{self.shown}: study database version {found}, this ganlib uses {schema.VERSION}; "
                "open it with the ganlib that made it, and export its answers"
            )

    def _create_tables(self, connection):
        if not self.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        tables = inspect(connection).get_table_names()
        if schema.version.name in tables or (self.is_sqlite and tables):
            return
        schema.metadata.create_all(connection, checkfirst=False)
        connection.execute(insert(schema.version).values(version=schema.VERSION))

    @contextlib.contextmanager
    def _explaining(self):
        try:
            yield
        except IntegrityError:
            raise  # the caller's to judge: usually, another was faster
        except (DBAPIError, sqlite3.Error) as error:  # the latter before SQLAlchemy has a connection
            explained = _explanation(str(getattr(error, "orig", error)), self.shown, self._timeout_s)
            if explained is None:
                raise
            raise InputError(explained) from error


def utc_now():
    """The server's time in UTC, ISO 8601 to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _url(address):
    text_ = str(address)
    if "://" not in text_:
        return make_url("sqlite://").set(database=str(Path(text_).expanduser()))
    try:
        url = make_url(text_)
    except (ArgumentError, ValueError) as error:
        raise InputError("the database URL cannot be read; it should be like postgresql://user@host/name") from error
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _engine(url, timeout_s):
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise InputError(f"database {url.get_backend_name()!r} is not supported; use SQLite or PostgreSQL")
    sqlite = url.get_backend_name() == "sqlite"
    arguments = {"timeout": timeout_s} if sqlite else {"connect_timeout": max(int(timeout_s), 2)}
    try:
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=not sqlite)
    except ModuleNotFoundError as error:
        raise InputError("the driver for PostgreSQL is missing: python -m pip install 'ganlib[postgresql]'") from error
    except NoSuchModuleError as error:
        raise InputError(f"the database URL names an unknown driver ({error}); write postgresql://…") from error
    if sqlite:
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection, _):
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for setting in ("foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection):
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _version(connection):
    if schema.version.name not in inspect(connection).get_table_names():
        return None
    return connection.execute(select(schema.version.c.version)).scalar()


def _explanation(said, shown, timeout_s):
    """One line for what the driver said, or None if it is a defect of ours."""
    for symptom, remedy in _REMEDIES.items():
        if re.search(symptom, said):
            return f"{shown}: {remedy.format(timeout_s=timeout_s)}"
    return None
