"""core.rostermanager: rosters as tables, and what clients see of changes."""

from __future__ import annotations

from prosody_py.hosts.roster import load_roster
from prosody_py.xmpp import ns

ROSTERS = "local rosters = require 'core.rostermanager'; local h = 'localhost'; "


def roster_of(running, username="juliet"):
    return load_roster(running.server.server, username, "localhost")


def stored(running, username="juliet"):
    return running.server.server.storage.open("localhost", "roster").get(username)


def test_item_that_lua_adds_is_stored_and_pushed(running):
    client = running.server.client("juliet")
    client.iq("get", f"<query xmlns='{ns.ROSTER}'/>")
    running.lua(ROSTERS + """
        local roster = rosters.load_roster("juliet", h);
        roster["help@localhost"] = {
            subscription = "both", name = "Help", groups = { ["Friends"] = true },
        };
        assert(rosters.save_roster("juliet", h, roster));
        rosters.roster_push("juliet", h, "help@localhost");
    """)
    push = client.receive_until(lambda element: element.attr.get("type") == "set")
    (item,) = push.tags[0].tags
    assert item.attr == {"jid": "help@localhost", "subscription": "both", "name": "Help",
                         "xmlns": ns.ROSTER}
    assert item.get_child_text("group") == "Friends"
    assert stored(running)["help@localhost"]["groups"] == {"Friends": True}


def test_items_can_be_read_and_changed_in_place(running):
    running.lua(ROSTERS + """
        local roster = rosters.load_roster("juliet", h);
        roster["romeo@localhost"] = { subscription = "to", groups = {} };
        local item = roster["romeo@localhost"];
        item.name, item.groups["Montague"] = "Romeo", true;
        item.groups = { Enemies = true };
    """)
    assert running.lua(ROSTERS + """
        local roster, seen = rosters.load_roster("juliet", h), {};
        for jid, item in pairs(roster) do
            for field, value in pairs(item) do
                seen[field] = type(value) == "table" and next(value) or value;
            end
        end
        return seen, roster["nobody@localhost"], roster.pending;
    """) == ({"subscription": "to", "name": "Romeo", "groups": "Enemies", "approved": False},
             None, None)
    running.lua(ROSTERS + "rosters.load_roster('juliet', h)['romeo@localhost'] = nil")
    assert len(roster_of(running)) == 0


def test_false_has_the_version_and_the_requests_that_wait(running):
    assert running.lua(ROSTERS + """
        assert(rosters.set_contact_pending_in("juliet", h, "romeo@localhost"));
        local metadata = rosters.load_roster("juliet", h)[false];
        local version = metadata.version;
        metadata.version = true;
        return version > 0, metadata.pending["romeo@localhost"],
            rosters.is_contact_pending_in("juliet", h, "romeo@localhost"),
            rosters.is_contact_pending_in("juliet", h, "tybalt@localhost");
    """) == (True, True, True, False)
    assert roster_of(running).version is True


def test_subscription_goes_through_its_steps(running):
    assert running.lua(ROSTERS + """
        local a, b, at = "juliet", "romeo", "@localhost";
        assert(rosters.set_contact_pending_out(a, h, b .. at));
        assert(rosters.is_contact_pending_out(a, h, b .. at));
        assert(rosters.set_contact_pending_in(b, h, a .. at));
        assert(rosters.subscribed(b, h, a .. at));
        assert(rosters.process_inbound_subscription_approval(a, h, b .. at));
        assert(rosters.is_user_subscribed(a, h, b .. at));
        assert(rosters.is_contact_subscribed(b, h, a .. at));
        assert(not rosters.is_contact_subscribed(a, h, b .. at));
        assert(rosters.unsubscribe(a, h, b .. at));
        assert(rosters.process_inbound_unsubscribe(b, h, a .. at));
        return rosters.is_contact_subscribed(b, h, a .. at),
            rosters.is_user_subscribed(a, h, b .. at);
    """) == (False, False)


def test_roster_of_a_session_is_the_same_table(running):
    client = running.server.client("juliet")
    assert running.lua(ROSTERS + """
        local session = prosody.full_sessions[...];
        assert(rosters.add_to_roster(session, "romeo@localhost", { name = "R", groups = {} }));
        local same = session.roster == rosters.load_roster("juliet", h);
        local name = session.roster["romeo@localhost"].name;
        return same, name, rosters.remove_from_roster(session, "romeo@localhost"),
            rosters.remove_from_roster(session, "romeo@localhost");
    """, client.jid) == (True, "R", True, None, "cancel",
                               "item-not-found", "No such contact")


def test_table_of_a_modules_own_replaces_the_roster(running):
    running.lua(ROSTERS + """
        local roster = rosters.load_roster("juliet", h);
        roster["old@localhost"] = { subscription = "to", groups = {} };
        assert(rosters.save_roster("juliet", h, {
            ["new@localhost"] = { subscription = "from", groups = {} };
        }));
    """)
    assert list(roster_of(running)) == ["new@localhost"]
    assert set(stored(running)) == {"new@localhost", False}


def test_roster_of_nobody_is_nil_and_a_text(running):
    result = running.lua(ROSTERS + "return rosters.load_roster('x', 'elsewhere.example')")
    assert result[0] is None and isinstance(result[1], str)
