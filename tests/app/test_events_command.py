"""`prosody-py events`: the catalogue on the terminal."""

import pytest

from prosody_py.app.main import main
from prosody_py.events.catalogue import CATALOGUE


def test_all_events_are_listed_by_whose_they_are(capsys):
    assert main(["events"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Events of a host:"
    headings = [line for line in lines if not line.startswith("  ")]
    assert len(lines) == len(CATALOGUE) + len(headings)
    assert all(any(line.startswith(f"  {event.name} ") for line in lines) for event in CATALOGUE)


def test_a_pattern_picks_some(capsys):
    assert main(["events", "user-*"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("  user-", "Events of")) for line in lines) and len(lines) > 5
    assert main(["events", "nothing-*"]) == 1


def test_one_event_is_explained_with_its_handlers_in_order(capsys):
    assert main(["events", "c2s-read-timeout"]) == 0
    text = capsys.readouterr().out
    for part in ("fired by mod_c2s, on the host's events", "fields: session",
                 "result: true: the connection is kept", "-1  mod_ping: Ping the client",
                 "highest priority"):
        assert part in text


def test_an_event_of_a_pattern_has_its_own_handlers(capsys):
    assert main(["events", "iq-get/host/urn:xmpp:ping:ping"]) == 0
    text = capsys.readouterr().out
    assert "iq-get/*: " in text and "mod_ping" in text and "mod_disco" not in text
    assert main(["events", "iq-get/*"]) == 0
    assert "mod_disco iq-get/host/http://jabber.org/protocol/disco#info:query" in \
        capsys.readouterr().out


@pytest.mark.parametrize(("name", "meant"), [
    ("mesage/bare", "message/bare"), ("resource-bnid", "resource-bind")])
def test_a_slip_of_the_pen_is_told_with_what_was_meant(capsys, name, meant):
    assert main(["events", name]) == 1
    assert capsys.readouterr().err == (
        f"prosody-py: Nothing is known of an event {name}; did you mean {meant}?\n")
