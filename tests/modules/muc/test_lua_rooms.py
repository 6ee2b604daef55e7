"""Rooms as modules in Lua know them: fields, functions, iterators, events."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.rooms import DATA, HOST, USER, Party, error, item

PROBE = """
local st = require "util.stanza";
local muc = module:depends("muc");
local log = {};
seen = log;

local function note(...) log[#log + 1] = table.concat({ ... }, " "); end

module:hook("muc-room-created", function (event)
	note("created", event.room.jid, event.creator and event.creator.nick or "nobody");
end);
module:hook("muc-occupant-joined", function (event)
	note("joined", event.nick, event.occupant.bare_jid, event.occupant.role);
end);
module:hook("muc-occupant-left", function (event) note("left", event.nick); end);
module:hook("muc-occupant-pre-join", function (event)
	if event.occupant.nick:match("/Paris$") then
		event.origin.send(st.error_reply(event.stanza, "cancel", "not-allowed", "No Paris here"));
		return true;
	end
end, 5);
module:hook("muc-occupant-groupchat", function (event)
	local body = event.stanza:get_child_text("body");
	if body == "censored" then
		event.origin.send(st.error_reply(event.stanza, "modify", "policy-violation"));
		return true;
	end
	note("said", event.occupant.nick, body, event.from);
end);
module:hook("muc-broadcast-message", function (event)
	event.stanza:tag("mark", { xmlns = "urn:example:mark" }):up();
end);
module:hook("muc-build-occupant-presence", function (event)
	event.stanza:tag("badge", { xmlns = "urn:example:badge", of = event.occupant.bare_jid }):up();
end);
module:hook("muc-disco#info", function (event)
	event.reply:tag("feature", { var = "urn:example:feature" }):up();
	table.insert(event.form, { name = "urn:example:field", label = "Ours" });
	event.formdata["urn:example:field"] = "value";
end);
module:hook("muc-config-form", function (event)
	table.insert(event.form, { name = "urn:example:option", type = "boolean", label = "Ours",
		value = event.room._data.example_option or false });
end);
module:hook("muc-config-submitted/urn:example:option", function (event)
	event.room._data.example_option = event.value;
	event.status_codes["104"] = true;
end);
module:hook("muc-config-submitted/urn:example:option", function (event)
	if event.room:get_name() == "broken" then error("broken"); end
end, 1);
module:hook("muc-disco#info", function (event)
	if event.room:get_name() == "broken" then error("broken"); end
end, 1);
module:hook("muc-private-message", function (event)
	if event.stanza:get_child_text("body") == "broken" then error("broken"); end
end, 1);
module:hook("muc-private-message", function (event)
	if event.stanza:get_child_text("body") == "secret" then return false; end
end);
module:hook("muc-get-history", function (event)
	if not event.stanza:get_child("old") then return; end
	local left = 2;
	event.next_stanza = function ()
		left = left - 1;
		if left >= 0 then
			return st.message({ from = event.room.jid, type = "groupchat" }, "old " .. left);
		end
	end;
	return true;
end, 1);

local commands = {};

function commands.describe(room)
	local list = {};
	for nick, occupant in room:each_occupant() do
		local sessions = 0;
		for real_jid, presence in occupant:each_session() do
			sessions = sessions + (presence.name == "presence" and real_jid and 1 or 0);
		end
		local name = occupant:get_presence().name;
		list[#list + 1] = nick .. "=" .. occupant.role .. sessions .. name;
	end
	table.sort(list);
	return table.concat(list, ",");
end

function commands.fields(room)
	local count, affiliated = 0, {};
	for real_jid, nick in pairs(room._jid_nick) do
		assert(room._occupants[nick].sessions[real_jid]);
		assert(room:get_occupant_by_real_jid(real_jid).nick == nick);
		assert(room:get_occupant_by_nick(nick) == room._occupants[nick]);
		assert(room:get_occupant_jid(real_jid) == nick);
		count = count + 1;
	end
	for jid, affiliation, data in room:each_affiliation() do
		affiliated[#affiliated + 1] = affiliation;
		assert(room:get_affiliation(jid) == affiliation);
		assert(room._affiliations[jid] == affiliation);
	end
	room._data.throttle_of_ours = { 1, 2, 3 };
	assert(room._data.throttle_of_ours[2] == 2);
	room.private_field = { x = 1 };
	assert(room.private_field.x == 1);
	return count .. table.concat(affiliated, ",") .. tostring(room:has_occupant());
end

function commands.settings(room)
	assert(room:set_name("Lua's") and room:get_name() == "Lua's");
	assert(room:set_description("d") and room:get_description() == "d");
	assert(room:set_moderated(true) and room:get_moderated());
	assert(room:set_members_only(true) and (room.get_members_only or room.is_members_only)(room));
	assert(room:set_members_only(false));
	assert(room:set_hidden(true) and (room.get_hidden or room.is_hidden)(room));
	assert(not room:get_public() and room:set_public(true));
	assert(room:set_whois("anyone") and room:get_whois() == "anyone");
	assert(room:set_changesubject(true) and room:get_changesubject());
	assert(room:set_historylength(7) and room:get_historylength() == 7);
	assert(room:set_language("de") and room:get_language() == "de");
	assert(room:set_password("p") and room:get_password() == "p" and room:set_password(""));
	assert(room:set_allow_member_invites(true) and room:get_allow_member_invites());
	assert(room:set_presence_broadcast({ moderator = true, participant = true }));
	assert(room:get_presence_broadcast().visitor == false);
	assert(room:set_allow_pm("none") and room:get_allow_pm() == "none");
	assert(room:set_allow_pm("anyone"));
	assert(room:set_allow_modpm(false) and not room:get_allow_modpm());
	assert(room:set_persistent(true) and room:get_persistent());
	assert(room:get_default_role("owner") == "moderator");
	assert(room:get_default_role("none") == "visitor");
	assert(room:get_default_role("outcast") == nil);
	assert(room:save());
	return room:freeze()._data.name;
end

function commands.affiliate(room, jid)
	assert(room:set_affiliation(true, jid, "member", "why", { reserved_nickname = "Angelica" }));
	assert(room:get_affiliation(jid) == "member");
	assert(room:get_affiliation_data(jid).reserved_nickname == "Angelica");
	assert(room:get_affiliation_data(jid, "reserved_nickname") == "Angelica");
	assert(room:get_registered_nick(jid) == "Angelica");
	assert(room:get_registered_jid("Angelica") == jid);
	local hats = { ["urn:hat"] = { active = true, title = "T" } };
	assert(room:set_affiliation_data(jid, "hats", hats));
	local ok, kind, condition = room:set_affiliation("nobody@localhost", jid, "owner");
	return tostring(ok) .. kind .. condition;
end

function commands.role(room, nick)
	assert(room:set_role(true, nick, "visitor") and room:get_role(nick) == "visitor");
	local occupant = room:get_occupant_by_nick(nick);
	occupant.mark = "kept";
	assert(room:get_occupant_by_nick(nick).mark == "kept");
	assert(room:get_occupant_id(occupant) == occupant.stable_id);
	local x = st.stanza("x", { xmlns = "http://jabber.org/protocol/muc#user" });
	room:publicise_occupant_status(occupant, x:tag("status", { code = "999" }):up());
	return occupant.role;
end

function commands.send(room, nick)
	room:broadcast_message(st.message({ from = room.jid, type = "groupchat" }, "to all"));
	room:broadcast(st.message({ from = room.jid, type = "groupchat" }, "to moderators"),
		function (_, occupant) return occupant.role == "moderator"; end);
	local occupant = room:get_occupant_by_nick(nick);
	room:route_to_occupant(occupant, st.message({ from = room.jid }, "to one"));
	room:route_stanza(st.message({ from = room.jid, to = occupant.jid }, "routed"));
	room:set_subject(room.jid, "new subject");
	local gone = room:build_unavailable_presence(nick, "because");
	return gone.attr.type;
end

function commands.exports()
	local made = muc.create_room("made@" .. module.host, { name = "Made", persistent = true });
	assert(muc.get_room_from_jid("made@" .. module.host) == made and made:get_name() == "Made");
	assert(muc.get_room_from_jid("nowhere@" .. module.host) == nil);
	local names = {};
	for room in muc.each_room() do names[room.jid] = true; end
	for room in muc.live_rooms() do assert(names[room.jid]); end
	for room in muc.all_rooms() do assert(names[room.jid]); end
	assert(names[made.jid] and muc.rooms[made.jid] == made and muc.has_room(made.jid));
	assert(made:destroy("next@" .. module.host, "over"));
	return "fine";
end

module:hook("iq-get/host/urn:example:probe:probe", function (event)
	local probe = event.stanza.tags[1];
	local room = probe.attr.room and muc.get_room_from_jid(probe.attr.room);
	local ok, result = pcall(commands[probe.attr.command], room or nil, probe.attr.of);
	event.origin.send(st.reply(event.stanza):text_tag("probe", tostring(result),
		{ xmlns = "urn:example:probe" }));
	return true;
end);

module:hook("iq-get/host/urn:example:probe:seen", function (event)
	local reply = st.reply(event.stanza):tag("seen", { xmlns = "urn:example:probe" });
	for _, line in ipairs(log) do reply:text_tag("line", line); end
	event.origin.send(reply);
	return true;
end);
"""


@pytest.fixture(scope="module", params=KINDS)
def lua_server(request, tmp_path_factory, launch):
    """Return a server with the module above on its component."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "mod_probe.lua").write_text(PROBE)
    running = launch(tmp_path_factory.mktemp("server"), ["disco"], plugin_paths=[str(folder)],
                     lua_runtime=request.param,
                     components={HOST: {"module": "muc", "modules_enabled": ["probe"]}})
    assert running.server.modules.is_loaded(HOST, "probe")
    yield running
    running.stop()


@pytest.fixture
def party(lua_server):
    party = Party(lua_server)
    yield party
    for client in party.clients:
        client.close()


def probe(guest, command, of=None, room=True):
    attributes = f" room='{guest.room}'" if room else ""
    attributes += f" of='{of}'" if of else ""
    return guest.iq("get", f"<probe xmlns='urn:example:probe' command='{command}'{attributes}/>",
                    HOST).get_child_text("probe", "urn:example:probe")


def seen(guest):
    answer = guest.iq("get", "<seen xmlns='urn:example:probe'/>", HOST)
    return [line.get_text() for line in answer.tags[0].tags]


def test_occupants_are_iterated_over(party):
    juliet, romeo = party.pair()
    assert probe(juliet, "describe") == (
        f"{juliet.address}=moderator1presence,{romeo.address}=participant1presence")
    assert probe(juliet, "fields") == "2ownertrue"


def test_settings(party):
    assert probe(party.owner(), "settings") == "Lua's"


def test_affiliations(party):
    juliet, romeo = party.pair()
    assert probe(juliet, "affiliate", romeo.bare_jid) == "nilauthforbidden"
    nurse = party.guest("nurse")
    hats = next(one for one in nurse.join() if one.attr["from"] == romeo.address).get_child(
        "hats", "urn:xmpp:hats:0")
    assert hats.get_child("hat").attr["uri"] == "urn:hat"
    assert hats.get_child("hat").attr["title"] == "T"


def test_roles_and_status(party):
    juliet, romeo = party.pair()
    assert probe(juliet, "role", romeo.address) == "visitor"
    assert item(romeo.presence_of("Romeo"))["role"] == "visitor"
    marked = romeo.presence_of("Romeo")
    assert "999" in {tag.attr.get("code") for tag in marked.get_child("x", USER).tags}


def test_sending(party):
    juliet, romeo = party.pair()
    assert probe(party.guest("nurse"), "send", romeo.address) == "unavailable"

    def texts(guest):
        return [one.get_child_text("body") or one.get_child_text("subject")
                for one in guest.messages()]

    assert texts(romeo) == ["to all", "to one", "routed", "new subject"]
    assert texts(juliet) == ["to all", "to moderators", "new subject"]


def test_what_is_exported(party):
    assert probe(party.guest("juliet"), "exports", room=False) == "fine"


def test_events_come_with_their_fields(party):
    juliet, romeo = party.pair()
    romeo.say("hello").flush()
    romeo.leave()
    lines = seen(juliet)
    assert f"created {party.room} {juliet.address}" in lines
    assert f"joined {romeo.address} {romeo.bare_jid} participant" in lines
    assert f"said {romeo.address} hello {romeo.jid}" in lines
    assert f"left {romeo.address}" in lines


def test_handlers_refuse(party):
    juliet, romeo = party.pair()
    assert error(party.guest("paris").knock()) == ("cancel", "not-allowed")
    assert error(romeo.say("censored").message())[1] == "policy-violation"
    romeo.whisper("Juliet", "secret").whisper("Juliet", "open").flush()
    assert [one.get_child_text("body") for one in juliet.messages()] == ["open"]


def test_handlers_add_to_what_is_sent(party):
    juliet, romeo = party.pair()
    romeo.say("hello")
    assert juliet.message().get_child("mark", "urn:example:mark") is not None
    nurse = party.guest("nurse")
    for one in nurse.join()[:3]:
        assert one.get_child("badge", "urn:example:badge").attr["of"]
    info = juliet.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>").tags[0]
    assert "urn:example:feature" in {tag.attr.get("var") for tag in info.tags}
    fields = {field.attr["var"]: field.get_child_text("value")
              for field in info.get_child("x", DATA).tags}
    assert fields["urn:example:field"] == "value"


def test_a_handler_has_an_option_in_the_form(party):
    juliet, romeo = party.pair()
    assert juliet.form()["urn:example:option"].get_child_text("value") == "0"
    assert juliet.submit({"urn:example:option": "1"}).attr["type"] == "result"
    assert juliet.form()["urn:example:option"].get_child_text("value") == "1"
    assert "104" in {tag.attr["code"] for tag in romeo.message().get_child("x", USER).tags}


def test_a_handler_that_fails_spoils_nothing(party):
    juliet, romeo = party.pair(roomname="broken")
    juliet.send(f"<iq type='set' id='once' to='{party.room}'>"
                f"<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='{DATA}' "
                "type='submit'><field var='urn:example:option'><value>1</value></field></x>"
                "</query></iq>")
    answers = [one for one in juliet.client.flush() if one.attr.get("id") == "once"]
    assert [one.attr["type"] for one in answers] == ["result"]
    assert juliet.form()["urn:example:option"].get_child_text("value") == "1"
    romeo.send(f"<iq type='get' id='once' to='{party.room}'>"
               "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
    answers = [one for one in romeo.client.flush() if one.attr.get("id") == "once"]
    assert [one.attr["type"] for one in answers] == ["result"]
    romeo.whisper("Juliet", "broken")
    assert juliet.message().get_child_text("body") == "broken"


def test_an_archive_gives_the_history(party):
    party.owner()
    x = "<x xmlns='http://jabber.org/protocol/muc'/><old/>"
    lines = [one.get_child_text("body") for one in party.guest("romeo").join(x)
             if one.name == "message"]
    assert lines == ["old 1", "old 0", None]


def test_a_reload_of_the_rooms_takes_the_module_along(party, lua_server):
    juliet, romeo = party.pair()
    lua_server.server.modules.reload(HOST, "muc")
    romeo.say("hello")
    assert juliet.message().get_child("mark", "urn:example:mark") is not None
    assert probe(juliet, "fields") == "2ownertrue"
