"""mod_server_contact_info and mod_server_info: XEP-0157."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.twins("server_contact_info")

INFO = "http://jabber.org/protocol/disco#info"


def forms(client):
    """Return the forms in the host's info, as {var: values}, without empty ones.

    Debian's shows the fields that have no value too.
    """
    query = client.iq("get", f"<query xmlns='{INFO}'/>", "localhost").tags[0]
    found = [{field.attr["var"]: [value.get_text() for value in field.childtags("value")]
              for field in form.childtags("field") if field.get_child("value") is not None}
             for form in query.childtags("x", "jabber:x:data")]
    return [form for form in found if len(form) > 1]


TYPE = {"FORM_TYPE": ["http://jabber.org/network/serverinfo"]}


def test_addresses_are_in_the_info_of_the_host(start_server):
    client = start_server(["server_contact_info"], contact_info={
        "abuse": ["mailto:abuse@shakespeare.lit", "xmpp:abuse@shakespeare.lit"],
        "status": "https://status.shakespeare.lit"}).client("juliet")
    assert forms(client) == [{
        **TYPE, "abuse-addresses": ["mailto:abuse@shakespeare.lit", "xmpp:abuse@shakespeare.lit"],
        "status-addresses": ["https://status.shakespeare.lit"]}]


def test_without_addresses_the_admins_are_named(start_server):
    client = start_server(["server_contact_info"],
                          admins=["root@localhost", "a@localhost"]).client("juliet")
    (form,) = forms(client)
    assert form.pop("FORM_TYPE") == TYPE["FORM_TYPE"] and list(form) == ["admin-addresses"]
    assert sorted(form["admin-addresses"]) == ["xmpp:a@localhost", "xmpp:root@localhost"]


@pytest.mark.ours_alone("Debian's writes addresses into URIs as they are")
def test_addresses_of_admins_are_escaped_in_uris(start_server):
    client = start_server(["server_contact_info"], admins=["ro?ot@localhost"]).client("juliet")
    assert forms(client) == [{**TYPE, "admin-addresses": ["xmpp:ro%3Fot@localhost"]}]


@pytest.mark.parametrize("options", [{}, {"contact_info": {}, "admins": ["root@localhost"]}])
def test_with_nothing_to_tell_there_is_no_form(start_server, options):
    assert forms(start_server(["server_contact_info"], **options).client("juliet")) == []


@pytest.mark.ours_alone("Debian's puts the addresses into a form of its own")
def test_fields_of_all_modules_are_in_one_form(start_server):
    running = start_server(["server_contact_info"], contact_info={"admin": "xmpp:a@localhost"})
    client = running.client("juliet")
    host = running.server.hosts["localhost"]
    fields = [{"name": "x", "type": "text-single", "value": "1"}, {"var": "y", "value": ["2"]}]
    host.modules["disco"].add_item("server-info-fields", fields)
    assert forms(client) == [
        {**TYPE, "x": ["1"], "y": ["2"], "admin-addresses": ["xmpp:a@localhost"]}]
    running.server.modules.unload("localhost", "server_contact_info")
    assert forms(client) == [{**TYPE, "x": ["1"], "y": ["2"]}]
    running.server.modules.unload("localhost", "server_info")
    assert forms(client) == []


@pytest.mark.ours_alone("Debian's needs no mod_server_info")
def test_a_reload_leaves_one_form(start_server):
    running = start_server(["server_contact_info"], contact_info={"admin": "xmpp:a@localhost"})
    client = running.client("juliet")
    for name in ("server_info", "server_contact_info", "disco"):
        running.server.modules.reload("localhost", name)
        assert forms(client) == [{**TYPE, "admin-addresses": ["xmpp:a@localhost"]}], name
