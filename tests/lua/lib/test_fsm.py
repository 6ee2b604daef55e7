"""util.fsm: what a machine fires on its way from state to state, and what may stop it."""

import pytest

TURNSTILE = """
    local said = {};
    local machine = require "util.fsm".new {
        default_state = "locked";
        transitions = {
            { name = "coin", from = { "locked", "open" }, to = "open" };
            { name = "push", from = "open", to = "locked" };
            { name = "smash", from = "*", to = "broken" };
        };
        handlers = { coin = function (event) said[#said + 1] = "handler:" .. event.to_attr; end };
        state_handlers = { open = function (event) said[#said + 1] = "state:" .. event.to; end };
    };
    for _, name in ipairs { "transition", "transition/coin", "leave/locked", "enter/open",
                            "enter/broken", "transitioned" } do
        machine.events.add_handler(name, function (event)
            said[#said + 1] = name .. ":" .. tostring(event.from) .. ">" .. event.to;
            if stop == name then return false; end
        end, -1);
    end
"""


def test_a_transition_fires_its_events_in_order(lua):
    found = lua.run(TURNSTILE + """
        local one = machine:init();
        assert(one:coin("penny") and one.state == "open" and one.state_attr == "penny");
        return table.concat(said, " ");
    """)
    assert found.decode().split() == [
        "transition:locked>open", "handler:penny", "transition/coin:locked>open",
        "leave/locked:locked>open", "state:open", "enter/open:locked>open",
        "transitioned:locked>open"]


@pytest.mark.parametrize("stop", ["transition", "transition/coin", "leave/locked"])
def test_a_handler_stops_a_transition_before_it_has_happened(lua, stop):
    assert lua.run(f"local stop = '{stop}';" + TURNSTILE + """
        local one = machine:init();
        return one:coin("penny"), one.state, one.state_attr;
    """) == (False, b"locked", None)


def test_a_machine_goes_only_the_ways_that_it_has(lua):
    ok, error, state, begun, known = lua.run(TURNSTILE + """
        local one = machine:init();
        local ok, err = pcall(one.push, one);
        one:smash("hammer");
        local other = machine:init("open", "found so");
        local fsm = require "util.fsm";
        return ok, err, one.state, said[#said], fsm.is_fsm(machine) and not fsm.is_fsm(one);
    """)
    assert not ok and b"locked cannot push" in error
    assert state == b"broken" and begun == b"enter/open:nil>open" and known
