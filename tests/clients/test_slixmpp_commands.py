"""slixmpp's ad-hoc commands (XEP-0050) and service administration (XEP-0133) with the server."""

from __future__ import annotations

import asyncio
import re

import pytest
import slixmpp

from tests.app.conftest import Installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server with the administrator root."""
    one = Installation(tmp_path_factory.mktemp("place"), admins=["root@localhost"],
                       modules_enabled=["saslauth", "roster", "disco", "ping", "admin_adhoc"])
    one.account("root")
    one.start()
    yield one
    one.stop()


class Administrator(slixmpp.ClientXMPP):
    """A client of root; `run` goes through a command as slixmpp's plugins do."""

    def __init__(self):
        super().__init__("root@localhost/r", "secret")
        self.ready = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _event: self.ready.set_result(True))
        for plugin in ("xep_0030", "xep_0004", "xep_0050", "xep_0133"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_scram = True

    async def log_in(self, port):
        """Connect without TLS."""
        self.enable_direct_tls = self.enable_starttls = False
        self.enable_plaintext = True
        self.connect("127.0.0.1", port)
        await asyncio.wait_for(self.ready, 10)
        return self

    async def run(self, command, **fields):
        """Run a command of XEP-0133; return the iq that ends it."""
        ended = asyncio.get_running_loop().create_future()

        def asked(iq, session):
            if iq["command"]["status"] == "completed":
                ended.set_result(iq)
                return
            form = self.plugin["xep_0004"].make_form("submit")
            form.add_field(var="FORM_TYPE", ftype="hidden",
                           value="http://jabber.org/protocol/admin")
            for name, value in fields.items():
                form.add_field(var=name, value=value)
            session["payload"], session["next"] = form, asked
            self.plugin["xep_0050"].complete_command(session)

        def failed(iq, _session):
            ended.set_result(iq)

        getattr(self.plugin["xep_0133"], command)(session={"next": asked, "error": failed})
        return await asyncio.wait_for(ended, 10)


def test_an_administrator_administers(place):
    port = int(re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", place.log.read_text())[1])

    async def administer():
        root = await Administrator().log_in(port)
        items = await root.plugin["xep_0133"].get_commands()
        nodes = {node for _jid, node, _name in items["disco_items"]["items"]}
        assert "http://jabber.org/protocol/admin#add-user" in nodes
        done = await root.run("add_user", accountjid="juliet@localhost", password="first")
        assert done["command"]["notes"] == [("info", "Account successfully created")]
        again = await root.run("add_user", accountjid="juliet@localhost", password="first")
        assert again["error"]["condition"] == "conflict"
        number = await root.run("get_registered_users_num")
        assert number["command"]["form"].get_values()["registeredusersnum"] == "2"
        listed = await root.run("get_online_users_list", max_items="25")
        assert listed["command"]["form"].get_values()["onlineuserjids"] == ["root@localhost"]
        await root.run("delete_user", accountjids=["juliet@localhost"])
        number = await root.run("get_registered_users_num")
        assert number["command"]["form"].get_values()["registeredusersnum"] == "1"
        gone = await root.run("restart")
        assert gone["error"]["condition"] == "item-not-found"
        await root.disconnect()

    with asyncio.Runner() as runner:
        runner.run(administer())
