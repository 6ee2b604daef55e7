"""Lua modules beside ours: the events, session fields and stores that they know from Prosody."""

from __future__ import annotations

import pytest

from prosody_py.lua.runtime import KINDS
from prosody_py.testing.archives import Archive
from prosody_py.testing.people import People

WITNESS = """
local st = require "util.stanza";
local archive = module:open_store("archive", "archive");
local heard = {};

module:hook("archive-message-added", function (event)
	local id = event.stanza:get_child_with_attr("stanza-id", "urn:xmpp:sid:0", "by",
		event.for_user .. "@" .. module.host).attr.id;
	local value, _, with = archive:get(event.for_user, event.id);
	local kept = value and value:get_child_text("body") or "not yet";
	heard[#heard+1] = table.concat({ event.for_user, kept, with or "-", tostring(id == event.id),
		tostring(event.origin.username) }, " ");
end);

module:hook("archive-should-store", function (event)
	if event.stanza:get_child_text("body") == "never" then
		event.reason = "because";
		return false;
	end
end);

-- From here on the stanza is a table of Lua.
for _, name in ipairs { "pre-message/full", "message/full" } do
	module:hook(name, function (event) event.stanza.seen = event.stanza:get_child("body"); end, 10);
end

module:hook("carbons-should-copy", function (event)
	if event.stanza:get_child_text("body") == "alone" then return false; end
end);

module:hook("iq-get/self/urn:example:witness:heard", function (event)
	local reply = st.reply(event.stanza):tag("heard", { xmlns = "urn:example:witness",
		carbons = event.origin.want_carbons and "yes" or "no" });
	for _, line in ipairs(heard) do reply:text_tag("line", line); end
	event.origin.send(reply);
	return true;
end);
"""
HEARD = "<heard xmlns='urn:example:witness'/>"


@pytest.mark.parametrize("runtime", KINDS)
def test_a_lua_module_takes_part(start_server, tmp_path, runtime):
    (tmp_path / "mod_witness.lua").write_text(WITNESS)
    people = People(start_server(["mam", "carbons", "witness"], plugin_paths=[str(tmp_path)],
                                 lua_runtime=runtime, storage="sqlite"))
    juliet, romeo = Archive(people.login("juliet")), Archive(people.login("romeo"))
    desk = people.login("juliet", "desk")
    assert desk.iq("get", HEARD).tags[0].attr["carbons"] == "no"
    desk.iq("set", "<enable xmlns='urn:xmpp:carbons:2'/>")
    assert desk.iq("get", HEARD).tags[0].attr["carbons"] == "yes"
    for text in ("hello", "never", "alone"):
        romeo.say(juliet.client.jid, text)
    copies = [element for element in desk.flush() if element.name == "message"]
    assert ["hello" in str(copy) for copy in copies] == [True, False] and "never" in str(copies[1])
    names = [archive.client.bare_jid.partition("@")[0] for archive in (juliet, romeo)]
    heard = [line.get_text() for line in desk.iq("get", HEARD).tags[0].tags]
    assert heard == [f"{own} {text} {other}@localhost true {names[1]}"
                     for text in ("hello", "alone") for own, other in (names[::-1], names)]
    assert juliet.bodies() == romeo.bodies() == ["hello", "alone"]
    forged = "".join(f"<stanza-id xmlns='urn:xmpp:sid:0' by='{one.client.bare_jid}' id='forged'/>"
                     for one in (juliet, romeo))
    juliet.client.flush()
    romeo.say(juliet.client.jid, "last", forged)
    for message in [one for one in (*juliet.client.flush(), *desk.flush())
                    if one.name == "message"]:
        assert "forged" not in str(message) and romeo.query().ids[-1] not in str(message)
        assert str(message).count("<stanza-id") == 1 and juliet.query().ids[-1] in str(message)
    people.close()
