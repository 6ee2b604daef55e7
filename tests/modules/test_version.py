"""mod_version: XEP-0092."""

from __future__ import annotations

import platform

import pytest

from prosody_py import __version__

pytestmark = pytest.mark.twins("version")

QUERY = "<query xmlns='jabber:iq:version'/>"


def ask(client, to="localhost"):
    return client.iq("get", QUERY, to)


def test_host_tells_name_version_and_system(start_server):
    query = ask(start_server(["version"]).client("juliet")).tags[0]
    name, *others = [(tag.name, tag.get_text()) for tag in query.tags]
    assert others == [("version", __version__), ("os", platform.system())]
    assert name in (("name", "prosody-py"), ("name", "Prosody"))  # what Debian's knows


def test_system_is_hidden_on_wish(start_server):
    query = ask(start_server(["version"], hide_os_type=True).client("juliet")).tags[0]
    assert [tag.name for tag in query.tags] == ["name", "version"]


def test_accounts_have_no_version(start_server):
    answer = ask(start_server(["version"]).client("juliet"), "romeo@localhost")
    assert answer.get_error()[1] == "service-unavailable"
