"""Unmodified Lua modules that use modules of ours about people: invitations, blocks, services."""

from __future__ import annotations

import pytest

from prosody_py.events.bus import Event
from prosody_py.hosts import users
from prosody_py.testing.web import WebClient

HTTP = {"http_ports": [0], "https_ports": []}
REGISTER = "jabber:iq:register"
LUA = """
local invites = module:depends "invites";
local blocklist = module:depends "blocklist";
module:hook("invite-created", function (invite)
	invite.landing_page = "https://page/" .. invite.token;
end);
module:hook("try", function (event)
	local one = invites.create_account("juliet", { roles = { "prosody:member" } }, 600);
	local two = invites.create_contact("romeo", true, { source = "lua" });
	local reset = invites.create_account_reset("romeo");
	local group = invites.create_group({ "friends" }, { note = "x" });
	local found = invites.get(one.token);
	local none, why = invites.get("nonsense");
	local pending = 0;
	for token, invite in invites.pending_account_invites() do
		assert(token == invite.token);
		pending = pending + 1;
	end
	event.result = {
		found.type, found.jid, found.username, found.landing_page, found.additional_data.roles[1],
		two.inviter, two.uri:match("ibr=y$"), reset.additional_data.allow_reset,
		group.additional_data.groups[1], tostring(none), why, pending,
		found:use() and tostring(invites.get(one.token)), tostring(group:use()),
		tostring((invites.get(group.token)) ~= nil),
		tostring((invites.delete_account_invite(reset.token))),
		tostring(blocklist.is_blocked("romeo", "tybalt@x.lit/street")),
		tostring(blocklist.is_blocked("romeo", "juliet@x.lit")),
	};
	return true;
end);
"""


@pytest.fixture
def try_lua(start_debian, tmp_path):
    """Return a server with a Lua module that uses what ours export."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "mod_tries.lua").write_text(LUA)
    return start_debian(modules=["tries", "invites", "blocklist"], more_folders=[str(folder)])


def test_lua_uses_what_ours_export(try_lua):
    romeo = try_lua.client("romeo")
    romeo.iq("set", "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@x.lit'/></block>")
    event = Event(result=None)
    assert try_lua.server.hosts["localhost"].events.fire_event("try", event) is True
    result = event.result if isinstance(event.result, list) else list(event.result.copy())
    kind, address, username, page, *rest = result
    assert (kind, address, username) == ("register", "juliet@localhost", "juliet")
    assert page.startswith("https://page/")
    assert rest == ["prosody:member", "romeo", "ibr=y", "romeo", "friends", "nil",
                    "token invalid", 3, "nil", "true", "true", "true", "true", "false"]


# -- invitations on the web --------------------------------------------------------------------


@pytest.fixture
def invites(start_debian):
    return start_debian("invites_page", "invites_register_web", "register_apps", modules=[
        "invites", "invites_register", "register_ibr", "http"], allow_registration=True, **HTTP)


def test_an_invitation_of_ours_has_a_page_and_a_form(invites):
    module = invites.server.modules.get_module("localhost", "invites")
    invite = module.exports.create_account("juliet", {"roles": ["prosody:member"]})
    web = WebClient(invites.address("http"))
    assert invite.landing_page.endswith("/invites_page?" + invite.token)
    page = web.get("/invites_page?" + invite.token)
    assert page.status == 200 and invite.uri in page.headers["link"]
    assert "expired" in web.get("/invites_page?nonsense").text
    assert web.get(f"/register?t={invite.token}").status == 200
    body = f"user=juliet&token={invite.token}&password=long+enough".encode()
    answer = web.request("POST", "/register", {
        "Content-Type": "application/x-www-form-urlencoded"}, body)
    assert answer.status == 200 and users.user_exists(invites.server, "juliet", "localhost")
    assert invites.connect().login("juliet", "long enough").jid
    assert module.exports.get(invite.token) == (None, "token invalid")
    web.close()


def test_a_key_makes_invitations_of_ours(start_debian, capfd):
    running = start_debian("invites_api", "invites_page", "register_apps",
                           modules=["invites", "http"], **HTTP)
    runtime = running.server.lua
    capfd.readouterr()
    running.server.modules.get_module("localhost", "invites_api").code.call(
        "command", ["create", "localhost", "robot"])
    runtime.driver.call(runtime.lua.eval(b"function() io.stdout:flush() end"))
    key = capfd.readouterr().out.strip()
    web = WebClient(running.address("http"))
    answer = web.get("/invites_api?key=" + key)
    assert answer.status == 201
    token = answer.headers["location"].rpartition("?")[2]
    exports = running.server.modules.get_module("localhost", "invites").exports
    assert exports.get(token).additional_data["source"].startswith("api/token/")
    web.close()


# -- blocks and reports ------------------------------------------------------------------------


def test_reports_with_blocks_of_ours_reach_the_administrators(start_debian):
    running = start_debian("watch_spam_reports", modules=["blocklist"], admins=["root@localhost"])
    root, juliet = (running.client(name).available() for name in ("root", "juliet"))
    answer = juliet.iq("set", "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@x.lit'><report "
                       "xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item>"
                       "</block>")
    assert answer.attr["type"] == "result"
    assert root.message().get_child_text("body") == (
        "juliet@localhost reported spam from tybalt@x.lit: no reason given")


# -- services ----------------------------------------------------------------------------------


def test_services_of_lua_are_told_by_ours(start_debian):
    running = start_debian("turn_external", modules=["external_services"],
                           turn_external_secret="s", turn_external_host="turn.example")
    answer = running.client("romeo").iq("get", "<services xmlns='urn:xmpp:extdisco:2'/>",
                                        "localhost")
    stun, turn = answer.tags[0].tags
    assert (stun.attr["type"], turn.attr["type"], turn.attr["host"]) == (
        "stun", "turn", "turn.example")
    assert turn.attr["password"] and turn.attr["expires"]


# -- groups ------------------------------------------------------------------------------------


def test_groups_of_ours_have_rooms_of_lua(start_hosts):
    running = start_hosts("muc", "muc_unique", modules=["groups_internal"],
                          groups_muc_host="rooms.localhost",
                          components={"rooms.localhost": {"module": "muc"}})
    running.user("romeo")
    exports = running.server.modules.get_module("localhost", "groups_internal").exports
    team = exports.create({"name": "Team"}, True)
    assert exports.add_member(team, "romeo") is True
    more = exports.add_group_chat(team, "Choir")
    rooms = exports.get_group_chats(team)
    assert [room["name"] for room in rooms] == ["Team", "Choir"] and rooms[1]["id"] == more["id"]
    muc = "<x xmlns='http://jabber.org/protocol/muc'/>"
    for name, joined in (("romeo", True), ("tybalt", False)):
        client = running.client(name).available()
        client.send(f"<presence to='{more['jid']}/{name}'>{muc}</presence>")
        answer = client.receive_until(lambda element: element.name == "presence"
                                      and element.attr["from"].startswith(more["jid"]))
        assert (answer.attr.get("type") != "error") is joined
    assert exports.remove_group_chat(team, more["id"]) is True
    assert [room["name"] for room in exports.get_group_chats(team)] == ["Team"]
    assert exports.remove_member(team, "romeo") is True
    assert exports.delete(team) is True
