"""`prosody-py check`: what is found, how it is told, and that nothing is changed."""

import datetime
import os
from pathlib import Path

import pytest

from prosody_py.app.main import main
from prosody_py.net.tls import selfsigned

ROOT = Path(__file__).parents[2]
GOOD = "hosts:\n  localhost: {}\nmodules_enabled: [saslauth, tls, roster]\n"


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Return a function that checks a text; gives (exit code, output)."""
    monkeypatch.chdir(tmp_path)

    def run(text, *words):
        (tmp_path / "prosody.cfg.yaml").write_text(text, encoding="utf-8")
        code = main(["check", *words])
        return code, capsys.readouterr().out

    return run


def test_a_good_configuration_passes_and_nothing_is_written(check, tmp_path):
    code, output = check(GOOD, "config")
    assert (code, output) == (0, "prosody.cfg.yaml: no problems found\n")
    assert check(GOOD)[0] == 0  # a certificate is missing, which is a warning
    assert os.listdir(tmp_path) == ["prosody.cfg.yaml"]


def test_the_sample_configuration_has_no_errors(capsys):
    assert main(["--config", str(ROOT / "prosody.cfg.yaml"), "check"]) == 0
    assert ": error:" not in capsys.readouterr().out


@pytest.mark.parametrize(("line", "told", "hint"), [
    ("c2s_timout: 5", "4: error: there is no option c2s_timout", "did you mean c2s_timeout?"),
    ("c2s_timeout: soon", "4: error: c2s_timeout: expected a period", "Time that a client"),
    ("modules_disabled: [mod_iq]", "4: error: modules_disabled has mod_iq", "write iq"),
    ("authentication: internal_hasht", "4: error: there is no module auth_internal_hasht",
     "did you mean internal_hashed?"),
    ("storage: {archive: sqlight}", "4: error: there is no module storage_sqlight",
     "did you mean sqlite?"),
    ("c2s_direct_tls_ports: [99999]", "4: error: entry 1 of c2s_direct_tls_ports: expected 0 to",
     "Ports of c2s_direct_tls"),
])
def test_a_mistake_is_a_line_with_its_place_and_a_hint(check, line, told, hint):
    code, output = check(GOOD + line + "\n")
    assert code == 2
    assert f"prosody.cfg.yaml:{told}" in output
    assert f"    {hint}" in output
    assert output.splitlines()[-1].startswith("prosody.cfg.yaml: 1 error, ")


def test_a_module_that_is_not_there_is_found_where_it_is_listed(check):
    code, output = check("hosts: {localhost: {}}\nmodules_enabled:\n  - saslauth\n  - rostre\n",
                         "modules")
    assert code == 2
    assert ("prosody.cfg.yaml:4: error: there is no module rostre\n"
            "    did you mean roster?") in output


def test_modules_of_plugin_paths_bring_their_options(check, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mod_one.py").write_text(
        "from prosody_py.api import Options, integer\n\nclass Config(Options):\n"
        "    one_size = integer(1, doc='How large.')\n\n"
        "def load(module):\n    module.provides('net', {'name': 'one', 'default_port': 7})\n")
    (folder / "mod_two.lua").write_text('local n = module:get_option_number("two_size", 3);\n')
    (folder / "mod_bad.py").write_text("import prosody_py\n\nraise RuntimeError('no')\n")
    text = ("hosts: {localhost: {}}\nplugin_paths: [plugins]\n"
            "modules_enabled: [saslauth, one, two, bad]\n"
            "one_size: 3\ntwo_size: 3\none_ports: [7]\n")
    code, output = check(text)
    assert code == 2
    assert "plugins/mod_bad.py:3: error: the module bad cannot be read: RuntimeError: no" in output
    assert "one_size" not in output and "two_size" not in output and "one_ports" not in output
    assert "one_size: expected a whole number" in check(text.replace("e: 3", "e: x"), "config")[1]


LUA = """
local size = module:get_option_number("lua_size", 5);
local names = module:get_option_set("lua_names", {});
local mode = module:get_option_enum("lua_mode", "fast", "slow");
module:require "part";
if module:get_option("lua_any") then module:get_option_string("lua_both"); end
module:get_option_set("lua_both");
"""


@pytest.fixture
def lua_modules(tmp_path):
    """The options of the module one, which is enabled, and of idle, which is not."""
    folder = tmp_path / "plugins"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "mod_one.lua").write_text(LUA)
    (folder / "one" / "part.lib.lua").write_text('module:get_option_boolean("lua_part")\n')
    (folder / "mod_idle.lua").write_text('module:get_option_string("idle_text")\n')
    (folder / "mod_idle_too.py").write_text(
        "from prosody_py.api import Options, string\n\nclass Config(Options):\n"
        "    idle_too_text = string('', doc='Text.')\n")
    return ("hosts: {localhost: {}}\nplugin_paths: [plugins]\n"
            "modules_enabled: [saslauth, tls, one]\n")


@pytest.mark.parametrize("line", [
    "lua_size: 7", "lua_size: '7.5'", "lua_names: a", "lua_names: [a, b]", "lua_mode: slow",
    "lua_any: {a: 1}", "lua_part: 'yes'", "lua_both: [a, b]", "lua_both: a"])
def test_what_a_lua_module_reads_may_be_what_its_getters_take(check, lua_modules, line):
    assert check(lua_modules + line + "\n", "config")[0] == 0


@pytest.mark.parametrize(("line", "told", "hint"), [
    ("lua_size: [1, 2]", "lua_size: expected a number, got a list",
     "read with get_option_number in mod_one.lua, line 2"),
    ("lua_names: {a: 1}", "lua_names: expected a list", "get_option_set in mod_one.lua, line 3"),
    ("lua_mode: quick", "lua_mode: expected one of fast, slow", "mod_one.lua, line 4"),
    ("lua_part: maybe", "lua_part: expected true or false", "part.lib.lua, line 1"),
    ("lua_sise: 7", "there is no option lua_sise", "did you mean lua_size?"),
    ("idle_tekst: x", "there is no option idle_tekst",
     "did you mean idle_text? The module idle reads it, and is not enabled"),
])
def test_what_a_lua_module_cannot_use_is_told_with_its_line(check, lua_modules, line, told, hint):
    code, output = check(lua_modules + line + "\n", "config")
    assert code == 2 and f"prosody.cfg.yaml:4: error: {told}" in output
    assert hint in output


def test_a_lua_module_that_is_no_lua_is_told_with_its_line(check, lua_modules, tmp_path):
    (tmp_path / "plugins" / "one" / "part.lib.lua").write_text("x = 1\n\nlocal = 5\n")
    code, output = check(lua_modules, "modules")
    assert code == 2
    assert "plugins/one/part.lib.lua:3: error: the module one cannot be read: <name>" in output


@pytest.mark.parametrize(("line", "module"), [
    ("idle_text: x", "idle"), ("idle_too_text: x", "idle_too"), ("http_ports: [5280]", "http")])
def test_an_option_of_a_module_that_is_not_enabled_is_a_warning(check, lua_modules, line, module):
    code, output = check(lua_modules + line + "\n", "config")
    name = line.partition(":")[0]
    assert code == 0 and (
        f"4: warning: {name} has no effect: the module {module}, which reads it, is not enabled\n"
        f"    add {module} to modules_enabled") in output


@pytest.mark.parametrize(("line", "told"), [
    ("certificates: [a, b]", "4: error: certificates: expected a path, got a list of 2"),
    ("data_path: {a: b}", "4: error: data_path: expected a path, got a mapping"),
    ("plugin_paths: {a: b}", "4: error: plugin_paths: expected a list"),
    ("pidfile: [a]", "4: error: pidfile: expected a path"),
    ("plugin_paths: [nowhere]", "4: warning: plugin_paths: there is no folder nowhere"),
    ("data_path: prosody.cfg.yaml", "prosody.cfg.yaml is not a folder"),
    ("log: {to: logs/x.log}", "4: error: log: there is no folder "),
    ("log: {modules: {tls: debug}}", "4: warning: log: no lines come from tls\n    write mod_tls"),
    ("log: debug", "such as {level: info, to: console}"),
    ("interfaces: [eth0]", '4: error: entry 1 of interfaces: expected an address such as'),
    ("ssl: {protocoll: tlsv1_2}", "4: error: ssl: 'protocoll' is not known; did you mean"),
    ("components: {rooms.localhost: {}}", "4: error: this component has no module"),
    ("modules_disabled: [saslauth]", "2: warning: nobody can log in to localhost"),
])
def test_a_file_an_address_or_a_part_that_cannot_be_is_told(check, line, told):
    assert told in check(GOOD + line + "\n")[1]


@pytest.mark.parametrize(("name", "hint"), [
    ("saslauth tls", "write a list with an entry for each module"),
    ("s2s", "there is none here; Prosody's works when plugin_paths has the folder"),
])
def test_a_module_that_cannot_be_found_has_a_hint_that_helps(check, name, hint):
    code, output = check(f"hosts: {{localhost: {{}}}}\nmodules_enabled: ['{name}']\n", "modules")
    assert code == 2
    assert f"2: error: there is no module {name}\n    {hint}" in output


def test_what_several_modules_read_is_told_once(check):
    output = check(GOOD + "c2s_require_encryption: perhaps\n")[1]
    assert output.count("expected true or false") == 1


def test_what_is_about_a_file_as_a_whole_has_no_line(check):
    assert "prosody.cfg.yaml: error: no host is served\n" in check("c2s_ports: [5222]\n")[1]


def test_yaml_that_cannot_be_parsed_has_a_place(check):
    code, output = check("hosts: [localhost\n")
    assert code == 2
    assert output.startswith("prosody.cfg.yaml:1: error: ")


def test_certificates_are_explained_and_their_expiry_is_told(check, tmp_path):
    folder = tmp_path / "data" / "certs"
    folder.mkdir(parents=True)
    selfsigned.make("localhost", str(folder))
    code, output = check(GOOD, "certs")
    assert code == 0
    assert "localhost.crt: chosen: valid until" in output
    assert "warning: the certificate of localhost is self-signed" in output
    assert "expires" not in output
    # Broken: the key is another one's.
    selfsigned.make("other.example", str(folder))
    os.replace(folder / "other.example.key", folder / "localhost.key")
    assert "is not the key of" in check(GOOD, "certs")[1]


def test_a_certificate_that_ends_within_a_month_is_a_warning(check, tmp_path, monkeypatch):
    folder = tmp_path / "data" / "certs"
    folder.mkdir(parents=True)
    made = selfsigned.make("localhost", str(folder))
    soon = made.not_after - datetime.timedelta(days=10, hours=1)
    monkeypatch.setattr("prosody_py.app.checks.certificates.utc_now", lambda: soon)
    assert "warning: the certificate of localhost expires in 10 days" in check(GOOD, "certs")[1]
