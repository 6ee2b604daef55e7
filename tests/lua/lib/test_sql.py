"""DBI and util.sql on SQLite files."""

from __future__ import annotations

import sqlite3

import gevent
import pytest
from gevent.event import Event

from prosody_py.lua.databases import Database, DatabaseError

OPEN = """
local path = ...;
local DBI = require "DBI";
local dbh = assert(DBI.Connect("SQLite3", path));
local function run(sql, ...)
    local sth = assert(dbh:prepare(sql));
    assert(sth:execute(...));
    return sth;
end
"""
ENGINE = """
local path = ...;
local sql = require "util.sql";
local engine = sql:create_engine({ driver = "SQLite3", database = path });
assert(engine:transaction(function ()
    engine:execute("CREATE TABLE IF NOT EXISTS t (k TEXT UNIQUE, v)");
end));
local function value(key)
    for row in engine:select("SELECT v FROM t WHERE k = ?", key) do return row[1]; end
end
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "test.sqlite")


@pytest.fixture
def dbi(place, path):
    return lambda code: place.run(OPEN + code, path)


@pytest.fixture
def engine(place, path):
    return lambda code: place.run(ENGINE + code, path)


def rows(path, query="SELECT * FROM t ORDER BY 1"):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# -- DBI -----------------------------------------------------------------------------------------


def test_values_come_back_as_they_went_in(dbi):
    assert dbi("""
        run("CREATE TABLE t (a, b, c, d, e, f)");
        run("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", 1, "\u00e9'\\"", 1.5, "\\0\\255", true, nil);
        local sth = run("SELECT * FROM t");
        local row = sth:fetch();
        assert(row[6] == nil and sth:fetch() == nil and sth:fetch() == nil);
        assert(sth:execute());
        local named = sth:fetch(true);
        return row[1], row[2], row[3], row[4] == "\\0\\255", row[5], named.a, named.b,
            table.concat(sth:columns(), "");
    """) == (1, "\u00e9'\"", 1.5, True, 1, 1, "\u00e9'\"", "abcdef")


def test_rows_are_iterated_and_counted(dbi):
    assert dbi("""
        run("CREATE TABLE t (a INTEGER)");
        local insert = assert(dbh:prepare("INSERT INTO t VALUES (?)"));
        for i = 1, 1500 do assert(insert:execute(i)); end
        local last, sum = dbh:last_id(), 0;
        for row in run("SELECT a FROM t"):rows() do sum = sum + row[1]; end
        local names = 0;
        for row in run("SELECT a AS n FROM t"):rows(true) do names = names + row.n; end
        return last, sum, names, run("UPDATE t SET a = 0 WHERE a > ?", 1000):affected(),
            run("DELETE FROM t"):affected(), DBI.Do(dbh, "INSERT INTO t VALUES (?)", 1);
    """) == (1500, 1125750, 1125750, 500, 1500, 1)


@pytest.mark.parametrize(("code", "answer"), [
    ("return dbh:prepare('SELEC 1')",
     (None, 'Error preparing statement handle: near "SELEC": syntax error')),
    ("return dbh:prepare('SELECT * FROM nope')",
     (None, "Error preparing statement handle: no such table: nope")),
    ("return dbh:prepare('SELECT ?, ?'):execute(1)",
     (False, "Statement expected 2 parameters but received 1")),
    ("return dbh:prepare(\"SELECT '?', ? -- ?\"):execute()",
     (False, "Statement expected 1 parameters but received 0")),
    ("return dbh:prepare('SELECT ?'):execute({})",
     (False, "Error binding statement parameters: Unknown or unsupported type `table'")),
    ("run('CREATE TABLE t (a UNIQUE)'); run('INSERT INTO t VALUES (1)'); "
     "return dbh:prepare('INSERT INTO t VALUES (1)'):execute()",
     (False, "Execute failed UNIQUE constraint failed: t.a")),
    ("local sth = run('SELECT 1'); sth:close(); return sth:execute()",
     (False, "Execute called on a closed or invalid statement")),
    ("dbh:close(); return dbh:prepare('SELECT 1')", (None, "Database not available")),
    ("local sth = run('SELECT 1'); dbh:close(); return sth:execute()",
     (False, "Execute called on a closed or invalid statement")),
    ("return DBI.Do(dbh, 'INSER')",
     (False, 'Error preparing statement handle: near "INSER": syntax error')),
    ("return DBI.Connect('SQLite3', '/nonexistent/x')",
     (None, "Failed to connect to database: unable to open database file")),
    ("dbh:close(); return dbh:close(), dbh:ping(), dbh:commit()", (False, False, False)),
    ("return dbh:ping(), dbh:quote(\"it's\")", (True, "it''s")),
])
def test_mistakes_are_answered_as_luadbi_does(dbi, code, answer):
    assert dbi(code) == answer


def test_a_file_that_is_no_database_is_refused(dbi, tmp_path):
    (tmp_path / "text").write_text("x" * 2000)
    assert dbi("return DBI.Connect('SQLite3', path:gsub('test.sqlite', 'text'))") == (
        None, "Failed to connect to database: file is not a database")


@pytest.mark.parametrize("driver", ["MySQL", "PostgreSQL", "Oracle"])
def test_other_databases_say_what_to_do(dbi, driver):
    ok, text = dbi(f"return pcall(DBI.Connect, '{driver}', 'db', 'u', 'p', 'h', 1)")
    assert not ok and f"Cannot load driver {driver}. Available drivers are: SQLite3" in text
    assert "has to be copied into one" in text


def test_changes_wait_for_a_commit_unless_each_is_its_own(dbi, path):
    dbi("""
        run("CREATE TABLE t (a)"); assert(dbh:commit());
        run("INSERT INTO t VALUES ('lost')"); assert(dbh:rollback());
        run("INSERT INTO t VALUES ('kept')"); assert(dbh:commit());
        run("INSERT INTO t VALUES ('open')");
        assert(dbh:autocommit(true));
        run("INSERT INTO t VALUES ('at once')");
        assert(dbh:autocommit(false));
        run("INSERT INTO t VALUES ('never')");
        dbh:close();
    """)
    assert rows(path) == [("at once",), ("kept",), ("open",)]


def test_one_statement_at_a_time(dbi):
    assert dbi("return dbh:prepare('SELECT 1; DROP TABLE t')")[0] is None


# -- util.sql ------------------------------------------------------------------------------------


def test_tables_are_created_once_with_their_indexes(engine, path):
    assert engine("""
        local Table, Column, Index = sql.Table, sql.Column, sql.Index;
        local t = Table {
            name = "things";
            Column { name = "id", type = "INTEGER", primary_key = true, auto_increment = true };
            Column { name = "host", type = "TEXT", nullable = false };
            Column { name = "value", type = "MEDIUMTEXT" };
            Index { name = "things_index", unique = true, "host", "value" };
        };
        assert(sql.is_table(t) and sql.is_column(t.c.host) and t.c[2] == t.c.host);
        for _ = 1, 2 do assert(engine:transaction(function () assert(t:create(engine)); end)); end
        return tostring(t.c.host), tostring(t):match("^Table{ name=\\"things\\"") ~= nil;
    """) == ('Column{ name="host", type="TEXT" }', True)
    assert rows(path, "SELECT sql FROM sqlite_master WHERE name LIKE 'things%' ORDER BY name") == [
        ('CREATE TABLE "things" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "host" TEXT NOT NULL, '
         '"value" TEXT)',),
        ('CREATE UNIQUE INDEX "things_index" ON "things" ("host", "value")',)]


def test_transactions_give_results_or_an_error_and_leave_no_half(engine, path):
    assert engine("""
        assert(engine:transaction(function (a, b)
            engine:insert("INSERT INTO t VALUES (?, ?)", a, b);
        end, "a", 1));
        local failed = { engine:transaction(function ()
            engine:update("UPDATE t SET v = 2");
            error({ reason = "mine" });
        end) };
        local unique, text = engine:transaction(function ()
            engine:insert("INSERT INTO t VALUES ('b', 1)");
            engine:insert("INSERT INTO t VALUES ('a', 1)");
        end);
        local changed = select(2, engine:transaction(function ()
            return engine:update("UPDATE t SET v = v + 10"):affected();
        end));
        local ok, first, second, third = engine:transaction(function () return nil, "x", 3; end);
        return failed[1], failed[2].reason, unique, text, changed, value("a"), ok, first, second,
            third;
    """) == (False, "mine", False, "Execute failed UNIQUE constraint failed: t.k", 1, 11, True,
             None, "x", 3)
    assert rows(path) == [("a", 11)]


def test_a_transaction_inside_another_undoes_only_its_own(engine, path):
    assert engine("""
        return engine:transaction(function ()
            engine:insert("INSERT INTO t VALUES ('outer', 1)");
            local inner = engine:transaction(function ()
                engine:insert("INSERT INTO t VALUES ('inner', 1)");
                error("no");
            end);
            assert(engine:transaction(function ()
                engine:insert("INSERT INTO t VALUES ('second', 1)");
            end));
            return inner;
        end);
    """) == (True, False)
    assert rows(path) == [("outer", 1), ("second", 1)]


def test_reading_and_writing_outside_of_transactions(engine, path):
    assert engine("""
        engine:insert("INSERT INTO t VALUES ('a', ?)", 5);
        local found = value("a");
        local ok, text = pcall(engine.select, engine, "SELEC 1");
        return found, ok, text, engine:execute("SELEC 1");
    """) == (5, False, 'Error preparing statement handle: near "SELEC": syntax error', None,
             'Error preparing statement handle: near "SELEC": syntax error')
    assert rows(path) == [("a", 5)]


def test_engines_have_an_address_and_connect_when_used(place, path):
    assert place.run("""
        local sql, path = require "util.sql", ...;
        local connected = 0;
        local engine = sql:create_engine({ driver = "SQLite3", database = path }, function (self)
            connected = connected + 1;
            return self:set_encoding();
        end);
        local before = engine.conn;
        assert(engine:transaction(function () end));
        engine.conn:close();
        local again = select(2, engine:transaction(function ()
            for row in engine:select("SELECT 7") do return row[1]; end
        end));
        local nowhere = sql:create_engine({ driver = "SQLite3", database = "/nonexistent/x" });
        return engine.url, before, connected, again, engine.charset,
            sql.db2uri { driver = "SQLite3", database = path } == engine.url,
            nowhere:transaction(function () end);
    """, path) == (f"SQLite3:{path}", None, 2, 7, "utf8", True, False,
                   "Failed to connect to database: unable to open database file")
    ok, text = place.run("""
        return require "util.sql":create_engine({ driver = "MySQL" }):transaction(print);
    """)
    assert not ok and "Cannot load driver MySQL" in text


def test_transactions_that_wait_do_not_mix(place, path):
    place.run(ENGINE, path)
    code = """
        local path, name, seconds = ...;
        shared_engine = shared_engine or require "util.sql":create_engine({
            driver = "SQLite3", database = path });
        local engine = shared_engine;
        assert(engine:transaction(function ()
            engine:insert("INSERT INTO t VALUES (?, 1)", name .. "1");
            require "native.driver".sleep(seconds);
            engine:insert("INSERT INTO t VALUES (?, 2)", name .. "2");
            if name == "a" then error("undone"); end
        end) or name == "a");
    """
    place.run("prosody.unlock_globals()")
    waiting = [gevent.spawn(place.run, code, path, name, 0.02) for name in "abc"]
    for each in waiting:
        each.get(timeout=5)
    assert rows(path) == [("b1", 1), ("b2", 2), ("c1", 1), ("c2", 2)]


def test_a_change_outside_waits_for_the_transaction_and_is_kept_on_its_own(path):
    database = Database(path)
    database.set_autocommit(True)
    database.execute("CREATE TABLE t (a)")
    started, go_on = Event(), Event()

    def transaction():
        with database.exclusive():
            database.execute("INSERT INTO t VALUES ('inside')")
            started.set()
            go_on.wait()
            database.rollback()

    inside = gevent.spawn(transaction)
    started.wait(timeout=5)
    outside = gevent.spawn(database.execute, "INSERT INTO t VALUES ('outside')")
    gevent.sleep(0.01)
    go_on.set()
    gevent.joinall([inside, outside], timeout=5, raise_error=True)
    assert rows(path) == [("outside",)]


def test_who_is_killed_in_a_transaction_leaves_nothing_and_lets_go(place, path):
    place.run(ENGINE, path)
    code = """
        local path, seconds = ...;
        shared_engine = shared_engine or require "util.sql":create_engine({
            driver = "SQLite3", database = path });
        assert(shared_engine:transaction(function ()
            shared_engine:insert("INSERT INTO t VALUES ('killed' || ?, 1)", seconds);
            require "native.driver".sleep(seconds);
        end));
    """
    place.run("prosody.unlock_globals()")
    half_way = gevent.spawn(place.run, code, path, 60)
    gevent.sleep(0.05)
    half_way.kill(timeout=1)
    place.run(code, path, 0)
    assert rows(path) == [("killed0", 1)]


def test_work_that_was_given_up_before_it_began_is_not_done(path):
    database = Database(path)
    database.set_autocommit(True)
    database.execute("CREATE TABLE t (a)")
    started, go_on = Event(), Event()

    def transaction():
        with database.exclusive():
            database.execute("INSERT INTO t VALUES ('half')")
            started.set()
            go_on.wait()

    greenlet = gevent.spawn(transaction)
    started.wait(timeout=5)
    late = database._abandoned
    greenlet.kill(timeout=1)
    with pytest.raises(DatabaseError, match="given up"):
        database._in_thread(database._guarded, lambda connection: connection.execute(
            "INSERT INTO t VALUES ('late')"), database._connection, late)
    assert rows(path) == []
