"""What libraries make has the functions and fields that modules use of it.

What they do is tested beside the libraries.
"""

from __future__ import annotations

import pytest

from prosody_py import lua as border_of
from prosody_py.lua.runtime import KINDS
from prosody_py.testing.server import TestServer

# Lua that makes the object: its functions, and the fields that are no functions.
OBJECTS = {
    "io.open(prosody.config_file)": ("read close lines seek write", ""),
    "require 'core.statsmanager'.metric('gauge', 'test_objects', '', 'Text', { 'kind' })":
        ("with_labels clear", ""),
    "require 'core.statsmanager'.metric('gauge', 'test_one', '', 'Text', {}):with_labels()":
        ("set add", ""),
    "prosody.test_module:metric('gauge', 'test', '', '', { 'kind' })": ("with_labels clear", ""),
    "prosody.test_module:add_timer(60, print)": ("stop reschedule", ""),
    "require 'net.adns'.resolver()": ("lookup lookup_promise", ""),
    "require 'net.http'": ("new request", "events"),
    "require 'util.array' { 3, 1 }": ("append concat filter map pluck pop push random reverse sort "
                                      "unique", ""),
    "require 'util.async'.runner(function () end)": ("run", ""),
    "require 'util.cache'.new(3)": ("clear count get head items resize set table tail values", ""),
    "require 'util.dataforms'.new { title = 't', instructions = 'i' }": ("form data",
                                                                       "title instructions"),
    "require 'util.dbuffer'.new()": ("discard read write length", ""),
    "require 'util.error'.new { type = 'cancel', condition = 'x', text = 'y' }":
        ("", "condition text type"),
    "require 'util.ip'.new_ip('::ffff:192.0.2.1')": ("", "normal proto addr"),
    "require 'util.multitable'.new()": ("add get iter remove search search_add set", "data"),
    "require 'util.promise'.resolve(1)": ("catch finally next", ""),
    "require 'util.queue'.new(3)": ("consume count items peek pop push replace", ""),
    "require 'util.ringbuffer'.new(9)": ("discard find length read write", ""),
    "require 'util.sasl'.new('localhost', { plain = print })":
        ("mechanisms select process clean_clone", "profile"),
    "require 'util.set'.new { 'a' }":
        ("add add_list contains contains_set empty exclude include items remove", "_items"),
    "require 'util.throttle'.create(1, 1)": ("poll peek update", ""),
    "require 'util.xmppstream'.new({}, { stream_ns = 'x' })": ("feed reset", ""),
}


@pytest.fixture(scope="module", params=KINDS)
def kinds_of(request, tmp_path_factory):
    """Return a function that tells what kinds the members of an object are of."""
    folder = tmp_path_factory.mktemp("objects")
    (folder / "mod_timing.lua").write_text("prosody.test_module = module;")
    whole = TestServer(folder, ["timing"], lua_runtime=request.param, plugin_paths=[str(folder)])
    border = border_of.runtime_of(whole.server)

    def look(source, names):
        chunk = border.compile(f"local object, kinds = {source}, {{}}; for name in (...):gmatch"
                               "('%S+') do kinds[name] = type(object[name]); end return kinds;"
                               .encode(), "objects.lua", border.lua.globals())
        return border.copy_to_python(border.driver.call(chunk, names.encode()))

    yield look
    whole.stop()


@pytest.mark.parametrize("source", OBJECTS)
def test_objects_have_what_modules_use_of_them(kinds_of, source):
    functions, fields = OBJECTS[source]
    found = kinds_of(source, f"{functions} {fields}")
    assert [name for name in functions.split() if found[name] != "function"] == []
    assert [name for name in fields.split() if found[name] in ("nil", "function")] == []
