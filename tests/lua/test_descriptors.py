"""File descriptors that Lua code waits for: util.poll, and events as libevent has them."""

from __future__ import annotations

import os

import gevent
import pytest

from prosody_py.testing.client import wait_until


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


POLL = """
    local poll = require "util.poll";
    local read, write = ...;
    local set = poll.new();
"""


def test_a_set_tells_what_is_ready_and_for_what(place, pipe):
    os.write(pipe[1], b"x")
    assert place.run(POLL + """
        assert(set:add(read, true) == true and set:add(write, false, true) == true);
        local seen = {};
        for _ = 1, 2 do
            local fd, readable, writable = set:wait(1);
            seen[fd] = tostring(readable) .. " " .. tostring(writable);
        end
        return seen[read], seen[write];
    """, *pipe) == ("true false", "false true")


def test_what_is_asked_for_can_be_changed_and_taken_back(place, pipe):
    os.write(pipe[1], b"x")
    assert place.run(POLL + """
        set:add(read, false, false);
        local before, reason = set:wait(0);
        assert(set:set(read, true, false) == true);
        local changed = set:wait(0);
        assert(set:del(read) == true);
        return before, reason, changed == read, (set:wait(0));
    """, *pipe) == (None, "timeout", True, None)


def test_the_other_end_going_away_is_something_to_read(place):
    read, write = os.pipe()
    os.close(write)
    try:
        assert place.run(POLL + """
            set:add(read);
            return set:wait(1);
        """, read, write) == (read, True, False)
    finally:
        os.close(read)


def test_errors_are_those_of_the_system(place, pipe):
    found = place.run(POLL + """
        local function all(...) return table.concat({ tostring((...)), select(2, ...) }, "|"); end
        set:add(read, true);
        return all(set:add(read, true)), all(set:set(write, true)), all(set:del(write)),
            all(set:add(-1, true)), all(set:add(1000000, true)), poll.EEXIST, poll.ENOENT,
            poll.api, (pcall(set.wait, set)), (pcall(set.wait, set, -1)),
            (pcall(set.add, set, "x")), set:getfd() > 2;
    """, *pipe)
    assert found == ("nil|File exists|17", "nil|No such file or directory|2",
                     "nil|No such file or directory|2", "nil|Bad file descriptor|9",
                     "nil|Bad file descriptor|9", 17, 2, "epoll", False, False, False, True)


def test_only_who_waits_waits(place, pipe):
    waiting = gevent.spawn(place.run, POLL + """
        set:add(read, true);
        return (set:wait(60)) == read;
    """, *pipe)
    turns = 0
    while turns < 20:
        gevent.sleep(0)
        turns += 1
        assert place.run("return 1") == 1
    assert not waiting.ready()
    os.write(pipe[1], b"x")
    assert waiting.get(timeout=30) is True


EVENTS = """
    module:set_global();
    local server = require "net.server";
    seen = {};
    function watch(fd, mask, seconds, ...)
        local answers = { ... };
        event = server.addevent(fd, mask, function (what)
            seen[#seen + 1] = what;
            local answer = answers[#seen];
            if answer == "error" then error("in the event"); end
            return answer;
        end, seconds);
        return event ~= nil;
    end
    function close() event:close(); end
    function on_base(fd, ...)
        return server.event_base:addevent(fd, server.event.EV_READ, ...) ~= nil;
    end
    function masks()
        local event = server.event;
        return event.EV_READ, event.EV_WRITE, event.EV_TIMEOUT;
    end
    function wrong() return server.addevent(1000000, 2, print); end
    function backend() return server.get_backend(); end
"""
TIMEOUT, READ, WRITE, LEAVE = 1, 2, 4, -1


@pytest.fixture
def events(start_lua):
    return start_lua(events=EVENTS).server.modules.get_module("*", "events").exports


def seen_by(events):
    return [events.seen[number] for number in range(1, len(events.seen) + 1)]


def test_an_event_is_told_until_the_callback_leaves(events, pipe):
    os.write(pipe[1], b"x")  # is never read, so there is always something to read
    assert events.watch(pipe[0], READ, None, READ, None, LEAVE)
    wait_until(lambda: len(events.seen) == 3)
    gevent.sleep(0.02)
    assert seen_by(events) == [READ, READ, READ]


def test_the_callback_may_ask_for_something_else(events, pipe):
    assert events.watch(pipe[1], WRITE, None, WRITE, TIMEOUT + READ, LEAVE)
    wait_until(lambda: len(events.seen) == 2)
    gevent.sleep(0.02)
    assert seen_by(events) == [WRITE, WRITE]
    events.close()


def test_nothing_in_time_is_an_event_too(events, pipe):
    assert events.watch(pipe[0], READ, 0.01, READ, LEAVE)
    wait_until(lambda: len(events.seen) == 2)
    assert seen_by(events) == [TIMEOUT, TIMEOUT]
    assert events.watch(None, TIMEOUT, 0, None, None, LEAVE)


def test_a_closed_event_is_silent(events, pipe):
    assert events.watch(pipe[0], READ, None)
    events.close()
    events.close()
    os.write(pipe[1], b"x")
    gevent.sleep(0.02)
    assert seen_by(events) == []


def test_an_error_ends_an_event_and_is_logged(events, pipe, caplog):
    os.write(pipe[1], b"x")
    assert events.watch(pipe[0], READ, None, "error")
    wait_until(lambda: "in the event" in caplog.text)
    gevent.sleep(0.02)
    assert seen_by(events) == [READ]


def test_the_base_is_the_same_and_the_backend_has_its_own_name(events, pipe):
    assert events.on_base(pipe[0], print) and events.masks() == (READ, WRITE, TIMEOUT)
    assert events.backend() == "epoll"
    value, reason = events.wrong()
    assert (value, reason) == (None, "closed")
