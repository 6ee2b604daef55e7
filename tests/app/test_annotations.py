"""`prosody-py module annotations`: what an editor reads is Lua, complete, and always the same."""

import json
import re

import pytest

from prosody_py.api.module import Module
from prosody_py.app.annotations import files
from prosody_py.app.annotations.types import of_annotation
from prosody_py.app.lua_source.parser import parse
from prosody_py.app.main import main
from prosody_py.app.manual.module_api import LUA_ONLY
from prosody_py.app.scan.truth import libraries, truth
from prosody_py.config.load import load_mapping
from prosody_py.events.catalogue import CATALOGUE
from prosody_py.lua.runtime import KINDS


@pytest.fixture(scope="module", params=KINDS)
def texts(request):
    """The files by path, for each runtime."""
    return files.texts(load_mapping({"lua_runtime": request.param}))[0]


def test_every_file_is_lua_and_says_what_it_is_called(texts):
    with truth() as asked:
        for path, text in texts.items():
            assert asked.complaint(text.encode(), path) is None
            parse(text)
            name = path.removesuffix(".lua").replace("/", ".")
            known = "prosody.globals" if name == "prosody.globals" else name
            assert text.startswith(f"---@meta {known}\n")


def test_every_method_of_a_module_is_there_with_its_text(texts):
    text = texts["prosody/module.lua"]
    declared = set(re.findall(r"^function module:(\w+)\(", text, re.MULTILINE))
    with truth() as asked:
        methods = {name for name in asked.methods if hasattr(Module, name)} | set(LUA_ONLY)
    assert methods - {"host_items"} <= declared and len(declared) > 50
    assert not {"make_metric", "ask_iq", "option"} & declared
    at = text.index("function module:open_store(")
    assert "---@param name? string" in text[text.rindex("\n\n", 0, at):at]
    assert "---@return prosody.set\nfunction module:get_option_set(name, default" in text


def test_events_have_names_and_data(texts):
    text = texts["prosody/events.lua"]
    for event in CATALOGUE:
        assert "*" in event.name or f'---| "{event.name}" # ' in text
    assert ("---@class prosody.data.origin_stanza_to_self\n"
            "---@field origin prosody.session\n") in text
    # In parentheses, or the editor takes what follows for a second result of the handler.
    assert ('event: "message/bare", handler: (fun(event: prosody.data.origin_stanza_to_self): any),'
            ' priority?: number)' in texts["prosody/module.lua"])


def test_every_library_has_a_file_with_its_members(texts):
    with truth() as asked:
        for name in libraries():
            if asked.why_not(name) is None:
                text = texts[name.replace(".", "/") + ".lua"]
                for member, kind in asked.members(name).items():
                    if kind == "function" and re.fullmatch(r"[a-z]\w*", member):
                        assert re.search(rf"^function library\.{member}\(|^---@meta", text,
                                         re.MULTILINE), (name, member)
    assert "---@return prosody.stanza\nfunction library.message(attr, body) end" in \
        texts["util/stanza.lua"]
    assert "function object:get_child_text(name, xmlns) end" in texts["util/stanza.lua"]
    assert "---@return prosody.set\nfunction library.new(" in texts["util/set.lua"]
    assert "function prosody.core_post_stanza(" in texts["prosody/globals.lua"]
    assert "---@class prosody.session\n" in texts["prosody/globals.lua"]
    assert "---@field [string] any " in texts["prosody/globals.lua"]
    assert "---@type prosody.module\nmodule = nil\n" in texts["prosody/globals.lua"]
    assert "---@overload fun(...: any): prosody.array\nlocal library = {}" in \
        texts["util/array.lua"]
    assert ("---@generic T\n---@param name string\n---@param default? T\n---@return string|T\n"
            "function module:get_option_string(") in texts["prosody/module.lua"]


@pytest.mark.parametrize(("annotation", "kind"), [
    ("str", "string"), ("str | None", "string|nil"), ("list[str]", "string[]"), ("Any", "any"),
    ("dict[str, int | None]", "table"), ("Callable[..., Any]", "function"), ("float", "number"),
    ("Stanza | None", "prosody.stanza|nil"), ("Iterator[Stanza]", "any"), (int, "integer"),
    ("list[str | int]", "any[]")])
def test_types_of_python_have_words_for_lua(annotation, kind):
    assert of_annotation(annotation) == kind


# -- the command ---------------------------------------------------------------------------


def test_the_command_writes_once_and_keeps_the_settings(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".luarc.json").write_text(json.dumps(
        {"workspace.library": ["mine"], "runtime.version": "Lua 5.2", "other": [1]}))
    assert main(["module", "annotations"]) == 0
    assert re.fullmatch(r"wrote \d\d+ files\n", capsys.readouterr().out)
    settings = json.loads((tmp_path / ".luarc.json").read_text())
    assert settings["workspace.library"] == ["mine", ".luals"]
    assert settings["runtime.version"] == "Lua 5.2" and settings["other"] == [1]
    assert settings["workspace.checkThirdParty"] is False
    assert (tmp_path / ".luals/util/stanza.lua").exists()
    assert main(["module", "annotations", "."]) == 0
    assert capsys.readouterr().out == "nothing has changed\n"


@pytest.mark.parametrize("given", ["{ // a comment\n}", "[]", "{"])
def test_settings_that_are_no_plain_json_are_left_alone(tmp_path, capsys, given, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".luarc.json").write_text(given)
    assert main(["module", "annotations"]) == 1
    assert "workspace.library" in capsys.readouterr().err
    assert (tmp_path / ".luarc.json").read_text() == given
    assert not (tmp_path / ".luals").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path, capsys):
    assert main(["module", "annotations", str(tmp_path / "none")]) == 1
    assert "There is no folder" in capsys.readouterr().err
