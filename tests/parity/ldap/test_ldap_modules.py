"""Debian's modules for accounts and rosters that are kept in a directory, with a real one."""

from __future__ import annotations

import pytest

from prosody_py.hosts import users
from prosody_py.xmpp import ns

NAMES = ("auth_ldap", "auth_ldap2")


@pytest.fixture
def settings(ldap_server):
    """Return the options of the modules for the server of the tests."""
    people = f"ou=people,{ldap_server.base}"
    return {
        "ldap_server": ldap_server.address, "ldap_base": people,
        "ldap": {"hostname": ldap_server.address, "use_tls": False, "bind_dn": ldap_server.admin,
                 "bind_password": "secret",
                 "user": {"basedn": people, "usernamefield": "uid", "namefield": "displayName",
                          "filter": "(objectClass=inetOrgPerson)"},
                 "groups": [{"name": "Lovers", "cn": "lovers"}],
                 "vcard_format": {"displayname": "displayName", "nickname": "uid"}}}


def refused(running, username, password):
    client = running.connect()
    client.open()
    client.starttls().open()
    client.sasl_auth("PLAIN", f"\0{username}\0{password}".encode())
    return client.receive().name == "failure"


@pytest.fixture
def start(start_debian, debian, settings):
    """Return a function that starts a server with one of the modules."""
    folder = str(debian / "prosody-modules/usr/lib/prosody/modules")  # has ldap.lib.lua
    return lambda name, **more: start_debian(name, more_folders=[folder], **{**settings, **more})


@pytest.mark.parametrize("name", NAMES)
def test_people_of_the_directory_log_in(start, name):
    running = start(name, authentication=name.removeprefix("auth_"))
    client = running.connect().login("juliet", tls=True, mechanism="PLAIN")
    assert client.jid.startswith("juliet@localhost/")
    for username, password in (("juliet", "wrong"), ("juliet", "hidden"), ("nobody", "secret"),
                               ("*", "secret"), ("juliet", "")):
        assert refused(running, username, password), username
    server = running.server
    assert users.user_exists(server, "romeo", "localhost")
    assert not users.user_exists(server, "nobody", "localhost")


def test_a_changed_password_is_written_into_the_directory(start, ldap_server):
    running = start("auth_ldap", authentication="ldap", ldap_rootdn=ldap_server.admin,
                    ldap_password="secret", ldap_mode="getpasswd")
    users.set_password(running.server, "romeo", "changed", "localhost")
    running.connect().login("romeo", "changed", tls=True, mechanism="PLAIN")
    users.set_password(running.server, "romeo", "hidden", "localhost")
    assert refused(running, "romeo", "changed")


def test_a_directory_that_is_gone_lets_nobody_in(start, caplog):
    running = start("auth_ldap", authentication="ldap", ldap_server="127.0.0.1:1")
    assert refused(running, "juliet", "secret")
    assert "Can't contact LDAP server" in caplog.text


def test_groups_are_the_roster_and_entries_are_vcards(start, settings):
    groups = {"basedn": "ou=groups,dc=localhost", "namefield": "cn", "memberfield": "description"}
    settings["ldap"]["groups"] = {**groups, 1: {"name": "Lovers", "cn": "lovers"}}
    running = start("storage_ldap", modules=["vcard"],
                    storage={"roster": "ldap", "vcard": "ldap", "accounts": "memory"})
    client = running.client("juliet")
    (item,) = client.iq("get", f"<query xmlns='{ns.ROSTER}'/>").tags[0].tags
    assert (item.attr["jid"], item.attr["name"], item.attr["subscription"]) == (
        "romeo@localhost", "Romeo", "both")
    assert item.get_child_text("group") == "Lovers"
    vcard = client.iq("get", "<vCard xmlns='vcard-temp'/>").tags[0]
    assert vcard.get_child_text("FN") == "Juliet"
