"""The catalogue knows what is fired, and tells a slip of the pen from an event of a module."""

import re
from pathlib import Path

from prosody_py.events import catalogue

ROOT = Path(__file__).parents[2]


def test_patterns_and_exact_names_are_found():
    assert catalogue.find("message/full").fields == ("origin", "stanza", "to_self")
    assert catalogue.find("iq-get/host/urn:xmpp:ping:ping").by == "mod_iq"
    assert catalogue.find("no-such-event") is None


def test_a_slip_of_the_pen_is_recognised_and_an_own_event_is_not():
    assert catalogue.slip_of("mesage/full") == "message/full"
    assert catalogue.slip_of("resource-bnd") == "resource-bind"
    assert catalogue.slip_of("message/full") is None
    assert catalogue.slip_of("muc-occupant-joined") is None


def test_every_event_that_the_code_fires_by_a_literal_name_is_declared():
    fired = re.compile(r"fire_event\(\s*\"([^\"]+)\"")
    for path in [*(ROOT / "prosody_py").rglob("*.py"), *(ROOT / "modules").rglob("*.py")]:
        if "testing" in path.parts:
            continue
        for name in fired.findall(path.read_text(encoding="utf-8")):
            if not name.endswith(("/", "-")):  # the beginning of a name
                assert catalogue.find(name), f"{path.name} fires {name}"


def test_events_of_streams_between_servers_are_no_slips_of_those_of_clients():
    for name in ("s2s-read-timeout", "s2s-pre-ondrain", "s2s-ondrain"):
        assert catalogue.slip_of(name) is None
