"""The command by which users choose with whom messages are kept (XEP-0441 section 2.2)."""

from __future__ import annotations

import pytest

from prosody_py.testing.adhoc import listed, note, run, step, values

NODE = "urn:xmpp:mam#configure"


@pytest.fixture
def client(start_server):
    return start_server(["mam", "adhoc"]).client("juliet")


def prefs(client, inside=None):
    """Set preferences if given; return those that count."""
    answer = client.iq("get" if inside is None else "set",
                       inside or "<prefs xmlns='urn:xmpp:mam:2'/>")
    found = answer.tags[0]
    return (found.attr["default"], *([tag.get_text() for tag in found.get_child(name).tags]
                                     for name in ("always", "never")))


def test_it_shows_what_counts_and_changes_it(client):
    assert NODE in listed(client)
    prefs(client, "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@b.example</jid>"
                  "</always><never><jid>c@d.example/x</jid></never></prefs>")
    asked = step(client, NODE).tags[0]
    assert values(asked) == {"FORM_TYPE": [NODE], "default": ["roster"],
                             "always": ["a@b.example"], "never": ["c@d.example/x"]}
    done = run(client, NODE, {"default": "always", "never": ["E@F.example", "g@h.example"]},
               form_type=NODE)
    assert note(done)[0] == "info"
    assert prefs(client) == ("always", [], ["e@f.example", "g@h.example"])


@pytest.mark.parametrize("fields", [
    {"default": "sometimes"}, {"always": ["a@b.example"]}, {"default": "never", "always": ["@@"]},
    {"default": "never", "always": [f"a{number}@b.example" for number in range(1001)]}])
def test_what_is_wrong_changes_nothing(client, fields):
    session = step(client, NODE).tags[0].attr["sessionid"]
    answer = step(client, NODE, "complete", session, fields, NODE)
    assert answer.get_error()[1] in ("bad-request", "policy-violation")
    assert prefs(client) == ("always", [], [])


def test_it_can_be_given_up(client):
    session = step(client, NODE).tags[0].attr["sessionid"]
    assert step(client, NODE, "cancel", session).tags[0].attr["status"] == "canceled"
