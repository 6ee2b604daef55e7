import pytest

from prosody_py.config.check import check
from prosody_py.config.load import load
from prosody_py.config.options import Options, integer, mapping, period, rate, string
from prosody_py.config.schema import Schema

GOOD = "modules_enabled: [tls, saslauth]\n"


class Welcome(Options):
    welcome_message = string()
    welcome_limit = integer(3, min=1)
    limits = mapping(None, doc="How fast.", fields={"c2s": mapping(None, fields={
        "rate": rate(), "burst": period("2 seconds")})})


@pytest.fixture
def run(tmp_path):
    """Check a text; return the problems as text, without the file's name."""
    file = tmp_path / "main.yaml"

    def run(text, find_module=None, find_certificate=None):
        file.write_text(text)
        known = Schema()
        known.register(Welcome)
        known.register_names({"allow_registration", "min_seconds_between_registrations"})
        found = check(load(file), known, find_module, find_certificate)
        return [str(problem).removeprefix(f"{file}:") for problem in found]

    return run


def test_a_good_configuration_has_no_problems(run):
    text = GOOD + """\
admins: [a@example.com]
log: {level: info, format: json, modules: {mod_c2s: debug}}
limits: {c2s: {rate: 10kb/s, burst: 2s}}
c2s_ports: 5222
umask: 027
hosts:
  example.com: {welcome_message: Hello, storage: {archive: sql}}
components:
  conference.example.com: {module: muc}
"""
    assert run(text, lambda name: True, lambda host: True) == []


def test_an_unknown_option_is_told_with_the_nearest_name(run):
    assert run(GOOD + "hosts: {h: {welcom_message: Hi}}\nc2s_prots: [1]\nxyzzy: 1") == [
        "2:13: there is no option welcom_message (did you mean welcome_message?)",
        "3:1: there is no option c2s_prots (did you mean c2s_ports?)",
        "4:1: there is no option xyzzy (no module that is enabled reads it)",
    ]


def test_a_host_at_the_top_level_is_recognised(run):
    assert run(GOOD + "example.com: {}\nhosts: {h: }") == [
        "2:1: there is no option example.com (a host is written below 'hosts:' and indented)"]


def test_a_wrong_value_is_told_with_the_line_of_the_part(run):
    assert run(GOOD + """\
hosts:
  h:
    welcome_limit: 0
admins: [{}]
log:
  level: loud
  modules:
    mod_c2s: 5
  colour: yes
limits: {c2s: {rate: fast}}
c2s_ports: [99999]
lua_runtime: lua51
""") == [
        "4:5: welcome_limit: expected at least 1, got 0",
        "5:10: entry 1 of admins: expected text, got a mapping (Addresses of the administrators.)",
        '7:3: log.level: expected one of info, debug, warn, error, got "loud" (What is logged, '
        "and how, such as {level: info, to: console}.)",
        "9:5: log.modules.mod_c2s: expected one of info, debug, warn, error, got 5 (What is "
        "logged, and how, such as {level: info, to: console}.)",
        "10:3: log.colour: colour is not known here; known are level, format, to, modules, "
        "sinks (What is logged, and how, such as {level: info, to: console}.)",
        '11:16: limits.c2s.rate: expected a rate such as "10kb/s", got "fast": it does not end in '
        "/s (How fast.)",
        "12:13: entry 1 of c2s_ports: expected 0 to 65535, got 99999 (Ports of c2s.)",
        '13:1: lua_runtime: expected one of lua54, luajit21, got "lua51" (Which Lua runs Lua '
        "modules.)",
    ]


def test_an_option_in_the_wrong_section_is_told(run):
    assert run(GOOD + "enabled: yes\nhosts: {h: {pidfile: x}}") == [
        "2:1: warning: enabled has no effect at the top level (set it for a host)",
        "3:13: warning: pidfile has no effect for a single host (set it at the top level)",
    ]


@pytest.mark.parametrize("line, told", [
    ("legacy_ssl_ports: [5223]", "use c2s_direct_tls_ports instead"),
    ("use_libevent: yes", "there is one network backend; remove it"),
    ("daemonize: no", "the server stays in the foreground; let systemd or the like start it"),
    ("anonymous_login: yes", "write 'authentication: anonymous' for the host"),
    ("require_encryption: yes",
     "use c2s_require_encryption instead; for servers it is s2s_require_encryption"),
    ("registration_whitelist: []", "use registration_allowlist instead"),
])
def test_an_obsolete_option_is_told_with_its_replacement(run, line, told):
    name = line.split(":")[0]
    assert run(GOOD + "hosts: {h: }\n" + line) == [
        f"3:1: warning: the option {name} is not used any more ({told})"]


def test_modules_are_listed_without_mod_and_once(run):
    assert run("modules_enabled: [tls, mod_ping, tls, saslauth]\nmodules_disabled: [mod_c2s]\n"
               "hosts: {h: }\ncomponents: {c: {module: mod_muc}}") == [
        "1:24: modules_enabled has mod_ping; modules are listed without mod_ (write ping)",
        "1:34: warning: modules_enabled has tls twice",
        "2:20: modules_disabled has mod_c2s; modules are listed without mod_ (write c2s)",
        "4:18: module: mod_muc of c; modules are named without mod_ (write muc)",
    ]


def test_a_module_that_is_nowhere_is_told_once(run):
    text = ("modules_enabled: [tls, nope, saslauth]\nhosts: {h: , i: }\n"
            "components: {c: {module: gone}}")
    hint = "(check the spelling, or add the folder that has it to plugin_paths)"
    assert run(text, find_module=lambda name: name in ("tls", "saslauth")) == [
        f"1:24: there is no module nope {hint}", f"3:18: there is no module gone {hint}"]


def test_a_module_that_is_global_and_a_component_is_told(run):
    assert run("modules_enabled: [tls, muc, saslauth]\nhosts: {h: }\n"
               "components: {c: {module: muc}}") == [
        "1:1: muc is in modules_enabled and also the module of the component c (remove it from "
        "modules_enabled; a component brings its own module)"]


def test_open_registration_without_limits_is_told(run):
    text = "modules_enabled: [tls, register, saslauth]\nhosts: {h: {allow_registration: yes}}\n"
    assert run(text) == [
        "2:13: warning: anybody can make any number of accounts on h (set "
        "min_seconds_between_registrations, or registration_invite_only)"]
    assert run(text + "min_seconds_between_registrations: 60") == []
    assert run(text.replace("yes", "no")) == []
    assert run(text.replace("register", "roster")) == []


def test_required_encryption_needs_tls_and_a_certificate(run):
    text = "modules_enabled: [saslauth]\nhosts: {h: }\nc2s_require_encryption: yes\n"
    assert run(text) == [
        "3:1: h requires encryption, but the module tls is not enabled (add tls to "
        "modules_enabled)"]
    assert run(text + "c2s_direct_tls_ports: [5223]") == []
    assert run(text.replace("yes", "no")) == []
    assert run(GOOD + "hosts: {h: , i: }", find_certificate=lambda host: host == "i") == [
        "2:9: h requires encryption, but no certificate for it was found (put h.crt and h.key "
        "into the folder of the option certificates)"]
    assert run(GOOD + "hosts: {h: }\ncomponents: {c: }", find_certificate=lambda h: h == "h") == []


def test_a_host_without_modules_is_told(run):
    assert run("c2s_require_encryption: no\nhosts: {h: }") == [
        "2:9: h has no modules, so nobody can log in (add 'modules_enabled: [roster, saslauth, "
        "tls, disco]' for it or at the top level)"]


def test_a_server_without_hosts_is_told(run):
    told = " no host is served (add one under hosts)"
    assert run(GOOD) == [told]
    assert run(GOOD + "hosts: {h: {enabled: no}}") == [told]


def test_vcard_and_vcard_legacy_exclude_each_other(run):
    assert run("modules_enabled: [tls, vcard, vcard_legacy, saslauth]\nhosts: {h: }") == [
        "2:9: h has both vcard and vcard_legacy (remove vcard)"]


def test_a_disabled_host_is_not_checked_for_what_it_lacks(run):
    assert run(GOOD + "hosts: {h: , i: {enabled: no, modules_disabled: [tls]}}") == []


def test_a_secret_is_not_shown_when_it_is_wrong(run, monkeypatch):
    monkeypatch.setenv("SOME_SECRET", "hunter2")
    assert run(GOOD + "hosts: {h: {welcome_limit: !env SOME_SECRET}}") == [
        "2:13: welcome_limit: expected a whole number, got text"]


def test_administrators_have_addresses_on_hosts_of_this_server(run):
    hosts = "hosts: {example.com: {}}\n"
    assert run(GOOD + "admins: [a@example.com]\n" + hosts) == []
    assert run(GOOD + "admins: [alice]\n" + hosts) == [
        "2:10: admins: 'alice' is not the address of an account (write it like alice@example.com)"]
    assert run(GOOD + "admins: [a@example.net]\n" + hosts) == [
        "2:10: warning: admins: example.net in a@example.net is not a host of this server (an "
        "administrator needs an account here)"]


def test_a_port_belongs_to_one_service(run):
    text = GOOD + "hosts: {example.com: {}}\nc2s_ports: [5222]\nc2s_direct_tls_ports: [5222]\n"
    [told] = run(text)
    assert "port 5222 is in c2s_direct_tls_ports and in c2s_ports" in told
    assert run(text + "c2s_interfaces: ['127.0.0.2']\n") == []


def test_modules_in_a_mapping_are_one_mistake(run):
    [told] = run("modules_enabled: {saslauth: true}\nhosts: {example.com: {}}\n")
    assert "expected a list" in told
