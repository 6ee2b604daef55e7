"""Libraries that stand on a server: util.signal, bcrypt, util.adminstream, util.prosodyctl."""

import os
import signal

import gevent
import pytest


def test_a_signal_calls_the_function_until_it_is_taken_back(place):
    assert place.run("""
        local signal = require "util.signal";
        count = 0;
        return signal.signal("SIGUSR2", function () count = count + 1; end), signal.SIGUSR2,
            signal.signal("SIGKILL", print), signal.signal(12345, print);
    """.replace("count", "prosody.test_count")) == (True, signal.SIGUSR2, False, False)
    for expected in (1, 2):
        os.kill(os.getpid(), signal.SIGUSR2)
        gevent.sleep(0.05)
        assert place.run("return prosody.test_count") == expected
    assert place.run("return require 'util.signal'.raise('SIGUSR2')") == 0
    gevent.sleep(0.05)
    assert place.run("return prosody.test_count") == 3
    assert place.run("return require 'util.signal'.signal('SIGUSR2', nil)") is True
    previous = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        os.kill(os.getpid(), signal.SIGUSR2)
        gevent.sleep(0.05)
    finally:
        signal.signal(signal.SIGUSR2, previous)
    assert place.run("return prosody.test_count") == 3


def test_an_error_in_the_function_is_logged_and_may_wait(place, caplog):
    place.run("""
        local signal = require "util.signal";
        signal.signal("SIGUSR2", function ()
            require "util.async".sleep(0.01);
            error("from the handler");
        end);
    """)
    os.kill(os.getpid(), signal.SIGUSR2)
    gevent.sleep(0.2)
    assert "from the handler" in caplog.text


@pytest.mark.parametrize("call", ["signal('SIGNOPE', print)", "signal('SIGUSR2', 'x')",
                                  "signal({}, print)", "kill(1, 'SIGNOPE')"])
def test_wrong_signals_are_lua_errors(place, call):
    assert place.run(f"return (pcall(function () require 'util.signal'.{call}; end))") is False


def test_a_process_that_does_not_exist_is_told(place):
    value, reason = place.run("return require 'util.signal'.kill(2^22 + 1, 0)")
    assert value is None and isinstance(reason, str)


def test_passwords_are_hashed_with_bcrypt(place):
    pytest.importorskip("bcrypt")
    assert place.run("""
        local bcrypt = require "bcrypt";
        local hash = bcrypt.digest("pencil", 4);
        return bcrypt.verify("pencil", hash), bcrypt.verify("wrong", hash), bcrypt.verify("x",
            "no hash"),
            bcrypt.verify("x", "$2y$31$" .. ("a"):rep(53)), (pcall(bcrypt.digest, "x", 31)),
            (pcall(bcrypt.digest, "x", "y")), bcrypt.verify("U*U",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            bcrypt.verify(("long"):rep(50), hash);
    """) == (True, False, False, False, False, False, True, False)


def test_without_the_package_bcrypt_is_not_provided(place, monkeypatch):
    from prosody_py.lua.server_requests import passwords
    monkeypatch.setattr(passwords, "bcrypt", None)
    ok, text = place.run("return pcall(require, 'bcrypt')")
    assert ok is False and "is not provided: the Python package bcrypt" in text


def test_the_stream_of_the_shell_carries_stanzas(place):
    assert place.run("""
        local sessions, sent, seen, closed = {}, {}, {}, nil;
        local conn = { write = function (_, data) sent[#sent + 1] = data; return true; end,
            close = function () closed = true; end };
        local listeners = require "util.adminstream".server(sessions, function (session, stanza)
            if stanza.name == "bad" then error("no"); end
            seen[#seen + 1] = stanza.name .. ":" .. stanza:get_text();
            session.send("<ok/>");
        end).listeners;
        listeners.onconnect(conn);
        listeners.onincoming(conn, "<stream:stream xmlns='xmpp:prosody.im/admin' "
            .. "xmlns:stream='http://etherx.jabber.org/streams'><repl-input>1+1</repl-input>");
        local type = sessions[conn].type;
        listeners.onincoming(conn, "<bad/>");
        local all = table.concat(sent);
        listeners.ondisconnect(conn);
        listeners.onincoming(conn, "late");
        return type, seen[1], all:find("<ok/>", 1, true) ~= nil,
            all:find("internal-server-error", 1, true) ~= nil, closed, sessions[conn];
    """) == ("admin", "repl-input:1+1", True, True, True, None)


@pytest.mark.parametrize("data", ["<foo/>", "text <", "<stream:stream xmlns='u'>", "<"])
def test_what_is_no_stream_of_a_shell_is_closed_or_waited_for(place, data):
    assert place.run(f"""
        local sessions, closed = {{}}, 0;
        local conn = {{ write = function () return true; end,
            close = function () closed = closed + 1; end }};
        local listeners = require "util.adminstream".server(sessions, print).listeners;
        listeners.onconnect(conn);
        listeners.onincoming(conn, "{data}");
        return closed;
    """) == (0 if data == "<" else 1)


def test_commands_print_what_they_have_to_say(place, capfd):
    place.run("""
        local ctl = require "util.prosodyctl";
        ctl.show_message("%d is a number", 5);
        ctl.show_message("100%");
        ctl.show_usage("mod_x [FILE]", "Does x");
        ctl.show_warning("careful: %s", "x");
    """)
    out, err = capfd.readouterr()
    assert out == "5 is a number\n100%\nUsage: prosodyctl mod_x [FILE]\n Does x\n"
    assert err == "careful: x\n"
