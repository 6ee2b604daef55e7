"""The beginning of a module, in either language: one option, one hook, one iq handler, one test."""

from __future__ import annotations

import os
import re
from string import Template

from prosody_py.app.errors import CommandError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z").match

_PYTHON = '''\
"""Answers a request with a greeting, and notes who comes online."""

from prosody_py.api import Options, hook, iq, stanza, string

XMLNS = "urn:example:$name"
FEATURES = (XMLNS,)


class Config(Options):
    """Read from prosody.cfg.yaml and checked once, when the module loads."""

    ${name}_greeting = string("Hello", doc="What the answer says.")


@iq("get", XMLNS, "greeting")
def answer(module, event):
    """Return the payload of the answer."""
    return stanza.stanza("greeting", xmlns=XMLNS).text(module.options.${name}_greeting)


@hook("resource-bind")
def came_online(module, event):
    """A session is ready to send and receive."""
    module.log("info", "%s is here", event.session.full_jid)
'''

_LUA = '''\
-- Answers a request with a greeting, and notes who comes online.

local st = require "util.stanza";

local xmlns = "urn:example:$name";
local greeting = module:get_option_string("${name}_greeting", "Hello");

module:add_feature(xmlns);

module:hook("iq-get/host/" .. xmlns .. ":greeting", function (event)
	local reply = st.reply(event.stanza):tag("greeting", { xmlns = xmlns }):text(greeting);
	event.origin.send(reply);
	return true;
end);

module:hook("resource-bind", function (event)
	module:log("info", "%s is here", event.session.full_jid);
end);
'''

_TEST = '''\
"""Tests of mod_$name, against a whole server in this process."""

import pytest

pytestmark = pytest.mark.prosody("$name")
REQUEST = "<greeting xmlns='urn:example:$name'/>"


def test_the_host_answers_with_a_greeting(client):
    answer = client.iq("get", REQUEST, to="localhost")
    assert answer.attr["type"] == "result"
    assert answer.tags[0].get_text() == "Hello"


@pytest.mark.prosody(${name}_greeting="Moin")
def test_the_greeting_is_an_option(client):
    assert client.iq("get", REQUEST, to="localhost").tags[0].get_text() == "Moin"
'''


def write(name: str, language: str, folder: str) -> list[str]:
    """Write mod_NAME and test_mod_NAME.py into a folder; return their paths.

    Nothing is overwritten. Raises CommandError.
    """
    name = name.removeprefix("mod_")
    if not _NAME(name):
        raise CommandError(f"{name!r} cannot be the name of a module: use small letters, digits "
                           "and _, beginning with a letter")
    extension, text = (".lua", _LUA) if language == "lua" else (".py", _PYTHON)
    files = {os.path.join(folder, f"mod_{name}{extension}"): text,
             os.path.join(folder, f"test_mod_{name}.py"): _TEST}
    for path in files:
        if os.path.lexists(path):
            raise CommandError(f"{path} exists already")
    try:
        os.makedirs(folder, exist_ok=True)
        for path, content in files.items():
            with open(path, "x", encoding="utf-8") as file:
                file.write(Template(content).substitute(name=name))
    except OSError as error:
        raise CommandError(f"Cannot write {error.filename}: {error.strerror}") from None
    return list(files)
