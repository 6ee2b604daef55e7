"""Our archive for the rooms of Debian's mod_muc, which are in Lua."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.archives import form, page

pytestmark = pytest.mark.slow

MAM, RETRACT = "urn:xmpp:mam:2", "urn:xmpp:message-retract:1"


@pytest.fixture(params=KINDS)
def juliet(request, other_rooms, debian_module, tmp_path):
    """Return the owner of a room in Lua."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    for name in ("muc", "muc_unique", "adhoc"):
        path = debian_module(name)
        (folder / path.name).symlink_to(path)
    running, juliet = other_rooms({"plugin_paths": [str(folder)], "lua_runtime": request.param})
    modules = running.server.modules
    assert modules.get_module("rooms.localhost", "muc").code.language == "lua"
    assert modules.get_module("rooms.localhost", "muc_mam").code.language == "python"
    return juliet


def test_a_room_in_lua_has_an_archive(juliet):
    texts = [f"line {number}" for number in range(4)]
    live = [juliet.speak(text) for text in texts]
    found = juliet.told()
    assert found.bodies == texts
    assert [one.get_child("stanza-id", "urn:xmpp:sid:0").attr["id"] for one in live] == found.ids
    item = found.messages[0].get_child("x", "http://jabber.org/protocol/muc#user").tags[0]
    assert item.attr["jid"] == juliet.client.jid and item.attr["affiliation"] == "owner"
    assert juliet.told(page("<max>1</max><before/>")).bodies == ["line 3"]
    assert juliet.told(form(**{"{urn:xmpp:fulltext:0}fulltext": "2"})).bodies == ["line 2"]
    juliet.owner(persistentroom="1")
    juliet.leave()
    *history, _subject = juliet.join("<history maxstanzas='2'/>")
    assert [one.get_child_text("body") for one in history] == texts[2:]
    juliet.speak("sorry", f"<retract xmlns='{RETRACT}' id='{found.ids[0]}'/>")
    assert juliet.told().bodies == [None, *texts[1:], "sorry"]


def test_who_has_spoken_is_not_what_the_message_says(juliet):
    user = "http://jabber.org/protocol/muc#user"
    juliet.speak("x", f"<x xmlns='{user}'><item jid='queen@localhost' affiliation='owner'/></x>")
    (kept,) = juliet.told().messages
    (x,) = [tag for tag in kept.tags if tag.attr.get("xmlns") == user]
    assert [item.attr["jid"] for item in x.tags] == [juliet.client.jid]


def test_its_owner_switches_it_off(juliet):
    info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    assert MAM in str(juliet.client.iq("get", info, juliet.room))
    assert "enablearchiving" in str(juliet.client.iq(
        "get", "<query xmlns='http://jabber.org/protocol/muc#owner'/>", juliet.room))
    assert juliet.owner(enablearchiving="0").attr["type"] == "result"
    assert juliet.speak("x").get_child("stanza-id", "urn:xmpp:sid:0") is None
    assert MAM not in str(juliet.client.iq("get", info, juliet.room))
    assert juliet.told().error == "feature-not-implemented"
