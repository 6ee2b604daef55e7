"""Hooks and wrappers of modules: order, results, taking back."""

import logging

import pytest

from prosody_py.events.bus import Events


def fire(module, event="event", data=None):
    return module.fire_event(event, data)


def test_priority_and_results_are_those_of_the_bus(module):
    notes = []
    module.hook("event", lambda event: notes.append("second"))
    module.hook("event", lambda event: notes.append("first"), 5)
    module.hook("event", lambda event: "done", -1)
    module.hook("event", lambda event: notes.append("never"), -2)
    assert fire(module) == "done" and notes == ["first", "second"]


def test_a_handler_that_is_taken_back_is_not_called(module):
    notes = []

    def handler(event):
        notes.append(event)

    module.hook("event", handler)
    module.unhook("other", handler)
    fire(module, data=1)
    module.unhook("event", handler)
    module.unhook("event", handler)
    fire(module, data=2)
    assert notes == [1] and module.registrations.entries == []


def test_unhooking_while_loading_means_it_was_never_there(load):
    module = load("probe", """
        def handler(event): return "called"
        def load(module):
            module.hook("event", handler)
            module.hook("event", lambda event: "other", -1)
            module.unhook("event", handler)
    """)
    assert fire(module) == "other"


def test_a_host_hears_its_own_events_and_the_server_all_hook_global(module, server):
    notes = []
    module.hook("event", lambda event: notes.append("host"))
    module.hook_global("event", lambda event: notes.append("global"))
    server.hosts["other.localhost"].events.fire_event("event")
    fire(module)
    server.events.fire_event("event")
    assert notes == ["host", "global"]


def test_events_of_any_object_can_be_hooked(module, server):
    events, notes = Events(), []
    module.hook_object_event(events, "event", notes.append)
    events.fire_event("event", 1)
    server.modules.unload("localhost", "probe")
    events.fire_event("event", 2)
    assert notes == [1] and not events.index


def test_a_wrapper_sees_before_and_after_and_may_change_both(module):
    module.hook("event", lambda event: event * 2)
    module.wrap_event("event", lambda fire, name, data: fire(name, data + 1) + 100)
    assert fire(module, data=1) == 104


def test_the_last_wrapper_is_outermost_and_need_not_go_on(module):
    notes = []
    module.hook("event", notes.append)
    module.wrap_event("event", lambda fire, name, data: notes.append("inner"))
    module.wrap_event("event", lambda fire, name, data: fire(name, data) or "nothing")
    assert fire(module) == "nothing" and notes == ["inner"]


def test_a_wrapper_of_all_events_sees_all_of_the_host(module, server):
    names = []

    def note(fire, name, data):
        names.append(name)
        return fire(name, data)

    module.wrap_event(None, note)
    fire(module, "one")
    fire(module, "two")
    server.events.fire_event("three")
    server.hosts["other.localhost"].events.fire_event("four")
    assert names == ["one", "two"]


@pytest.mark.parametrize("scope", ["wrap_event", "wrap_global"])
def test_wrappers_go_with_the_module(module, server, scope):
    getattr(module, scope)("event", lambda fire, name, data: "wrapped")
    events = server.events if scope == "wrap_global" else server.hosts["localhost"].events
    assert events.fire_event("event") == "wrapped"
    server.modules.unload("localhost", "probe")
    assert events.fire_event("event") is None and events.wrapped is False


def test_an_event_that_is_a_slip_of_the_pen_is_warned_of(module, caplog):
    with caplog.at_level(logging.WARNING):
        module.hook("resource-bnd", print)
        module.hook("a-very-own-event", print)
    [record] = caplog.records
    assert "resource-bind" in record.getMessage() and record.name == "mod_probe"


def test_a_tag_handler_gets_session_and_element(running, module):
    notes = []

    def handler(session, element, event):
        notes.append((session.username, element.attr["n"]))
        return True

    module.hook_tag("urn:test:tag", "nonza", handler)
    client = running.client("tagger")
    client.send("<nonza xmlns='urn:test:tag' n='1'/>").flush()
    assert notes == [("tagger", "1")]
    client.close()
