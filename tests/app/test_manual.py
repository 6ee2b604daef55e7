"""The manual says what the code says, and its links lead somewhere."""

import re
import xml.etree.ElementTree
from pathlib import Path

import pytest
import yaml

from prosody_py.api import Options, integer, mapping, period, string
from prosody_py.api.module import Module
from prosody_py.app.main import COMMANDS, main
from prosody_py.app.manual import handlers, module_api, option_text, pages, signatures, xeps
from prosody_py.app.manual.bundled import bundled
from prosody_py.app.manual.markdown import anchor
from prosody_py.app.shell.sections import SECTIONS
from prosody_py.events.catalogue import CATALOGUE
from prosody_py.lua.runtime import KINDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "docs" / "manual"
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def read(name):
    folder = ROOT / "docs" if name in pages.all_pages() else MANUAL
    return (folder / name).read_text(encoding="utf-8")


def headings(text):
    """Return the headings of a page; those in code blocks are none."""
    return re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.M), re.M)


def anchors(path):
    text = path.read_text(encoding="utf-8")
    return {*map(anchor, headings(text)), *re.findall(r'<a id="([^"]+)">', text)}


# -- the pages -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", pages.all_pages())
def test_a_page_is_up_to_date(name):
    assert read(name) == pages.all_pages()[name](), "say 'prosody-py manual', which writes it anew"


def test_the_folder_has_the_pages_and_no_others():
    found = {path.relative_to(ROOT / "docs").as_posix() for path in MANUAL.rglob("*.md")}
    assert found == {name for name in pages.all_pages() if name.startswith("manual/")}


def test_every_option_of_the_example_is_in_the_options():
    text = (ROOT / "prosody.cfg.yaml").read_text(encoding="utf-8")
    names = yaml.safe_load(text).keys() | set(re.findall(r"^ *# ([a-z_]+): ", text, re.MULTILINE))
    names -= {"hosts", "components", "format", "modules"}  # no options of their own
    assert len(names) > 10
    assert [name for name in names if f"### `{name}`\n" not in read("options.md")] == []


def test_an_option_is_described_once():
    found = re.findall(r"^### `(\w+)`$", read("options.md"), re.MULTILINE)
    assert len(found) == len(set(found)) > 50


def test_every_declared_option_of_every_module_is_described():
    text = read("options.md")
    for module in bundled():
        for name in module.file.names:
            assert f"### `{name}`\n" in text, f"{name} of {module.name}"


def test_every_event_is_in_the_events():
    text = read("events.md")
    assert [event.name for event in CATALOGUE if f"</a>`{event.name}` |" not in text] == []


def test_every_module_has_a_page_with_its_options_and_handlers():
    text = read("modules.md")
    for path in [*(ROOT / "modules").glob("mod_*"), *(ROOT / "plugins_lua").glob("mod_*.lua")]:
        assert f"](modules/{path.stem}.md)" in text
    entry = read("modules/mod_ping.md")
    for part in ("iq-get/bare/urn:xmpp:ping:ping", "| -1 | host | Ping the client", "XEP-0199",
                 "### `ping_timeout`", "`urn:xmpp:ping`"):
        assert part in entry


def test_every_command_is_in_the_commands():
    text = read("commands.md")
    assert [name for name in COMMANDS if f"## prosody-py {name}\n" not in text] == []
    for section in SECTIONS:
        for command in section.commands:
            assert f"| `{command.usage}` | " in text


def test_every_method_of_a_module_is_in_the_api():
    text = read("module-api.md")
    names = {name for base in Module.__mro__ if base is not object
             for name, _method in module_api.methods(base)}
    assert {"hook", "open_store", "add_timer", "log"} <= names
    assert [name for name in names if f"### module.{name}\n" not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_api_says_of_lua_is_so(start_server, tmp_path, kind):
    names = set(re.findall(r"^module:(\w+)\(", read("module-api.md"), re.MULTILINE))
    checks = "\n".join(f'assert(type(module.{name}) == "function", "{name}")' for name in names)
    (tmp_path / "mod_names.lua").write_text(checks)
    running = start_server(["names"], plugin_paths=[str(tmp_path)], lua_runtime=kind)
    assert running.server.modules.is_loaded("localhost", "names")
    assert names == {name for name in module_api.lua_names() if not name.startswith("_")}


# -- extensions ----------------------------------------------------------------------------


@pytest.mark.parametrize("xep", xeps.xeps(), ids=lambda xep: xep.number)
def test_an_extension_names_what_is_there(xep):
    modules = {module.name for module in bundled()}
    assert xep.modules or xep.core or xep.community
    assert [name for name in xep.modules if name not in modules] == []
    assert [name for name in xep.core if not (ROOT / "prosody_py" / f"{name}.py").exists()
            and not (ROOT / "prosody_py" / name).is_dir()] == []
    assert xep.tests and [path for path in xep.tests if not (ROOT / path).exists()] == []


def test_the_doap_file_is_xml_and_names_each_extension():
    project = xml.etree.ElementTree.fromstring(xeps.render_doap())[0]
    space = "{https://linkmauve.fr/ns/xmpp-doap#}"
    assert [found.text for found in project.iter(space + "status")] == [
        "partial" if xep.left_out else "complete" for xep in xeps.xeps()]
    assert len(list(project.iter(space + "xep"))) == len(xeps.xeps()) > 20


# -- links ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, part = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not part or part in anchors(target), link


def test_the_front_pages_lead_to_all_of_docs():
    for page in ("README.md", "docs/ARCHITECTURE.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in ("operators.md", "module-authors.md", *pages.PAGES):
            assert re.search(rf"\]\((docs/)?{name}\)", text), f"{page} has no link to {name}"


# -- the command ---------------------------------------------------------------------------


def test_the_command_writes_and_compares(tmp_path, capsys):
    folder = str(tmp_path / "new")
    assert main(["manual", folder, "--check"]) == 1
    assert capsys.readouterr().out.count("is out of date") == len(pages.all_pages())
    assert main(["manual", folder]) == 0
    assert capsys.readouterr().out.count("wrote ") == len(pages.all_pages())
    assert main(["manual", folder, "--check"]) == 0
    assert main(["manual", folder]) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "new" / "xeps.md").write_text("something else")
    assert main(["manual", folder, "--check"]) == 1
    assert capsys.readouterr().out.startswith(f"{folder}/xeps.md is out of date")
    assert (tmp_path / "new" / "xeps.md").read_text() == "something else"


def test_a_folder_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["manual", str(tmp_path / "file")]) == 1
    assert "Cannot write" in capsys.readouterr().err


# -- the parts -----------------------------------------------------------------------------


class Config(Options):
    """Options of all kinds that matter here."""

    wait = period("5 minutes", min="1 second", max="1 day", doc="How *long*.")
    many = integer(3, name="how_many", where="global", required=True)
    nested = mapping(None, fields={"a": string("x|y", doc="One.")})
    a_password = string(None)


def test_an_option_is_told_with_bounds_default_and_place():
    wait, many, nested, secret = map(option_text.body, Config.declared())
    assert wait == ('How \\*long\\*.\n\nperiod · at least `"1 second"` · at most `"1 day"` · '
                    'default `"5 minutes"` · at the top level or for a host')
    assert "whole number · required · at the top level" in many
    assert nested.endswith('- `a`: One. (text · default `"x|y"`)')
    assert secret.endswith("never shown in messages")
    assert option_text.body(Config.declared()[0], True).endswith("· at the top level")


def test_handlers_of_a_lua_module_are_found():
    text = """-- What it does.
local xmlns = "urn:x";
module:hook("iq-get/host/" .. xmlns .. ":y", function (event)
end, 5);
module:hook("resource-bind", come, -10);
module:hook_global("server-started", f);
module:hook("x/" .. y, f, 2);
"""
    assert handlers.of_lua(text, False) == [
        handlers.Handler("iq-get/host/urn:x:y", 5, "host"),
        handlers.Handler("resource-bind", -10, "host"),
        handlers.Handler("server-started", 0, "server"),
        handlers.Handler("x/*", 2, "host")]


def test_a_signature_is_told_in_both_languages():
    def method(self, name: str, *args: int, more: str = "x", **rest):
        pass
    assert signatures.python(method, "m") == "m(name: str, *args: int, more: str = 'x', **rest)"
    assert signatures.lua(method, "m") == "module:m(name[, ...[, more]])"
