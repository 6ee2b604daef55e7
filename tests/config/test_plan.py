from prosody_py.config.load import load, load_mapping
from prosody_py.config.plan import diff


def plan(old, new):
    return diff(load_mapping(old), load_mapping(new))


def test_equal_configurations_need_no_steps():
    data = {"a": [1, {"b": 2}], "hosts": {"h": {}}}
    assert not plan(data, data)
    assert str(plan(data, data)) == "nothing changes"


def test_hosts_are_added_with_their_modules_and_removed():
    result = plan({"hosts": {"a": {}, "b": {}}}, {"hosts": {"b": {}, "c": {}}})
    assert result.hosts_added == ("c",) and result.hosts_removed == ("a",)
    assert result.modules["c"] == ("presence", "message", "iq", "offline", "c2s")
    assert not result.changes
    assert str(result) == "- host a\n+ host c (modules: presence, message, iq, offline, c2s)"


def test_a_host_that_is_disabled_counts_as_removed():
    on, off = {"hosts": {"a": {}}}, {"hosts": {"a": {"enabled": False}}}
    assert plan(on, off).hosts_removed == ("a",)
    assert plan(off, on).hosts_added == ("a",)


def test_a_component_with_another_module_is_removed_and_added():
    result = plan({"components": {"c": {"module": "muc"}}},
                  {"components": {"c": {"module": "pubsub"}}})
    assert result.hosts_removed == result.hosts_added == ("c",) and not result.changes
    result = plan({"hosts": {"c": {}}}, {"components": {"c": {}}})
    assert result.hosts_removed == result.hosts_added == ("c",)


def test_modules_that_come_and_go_are_told_for_each_host():
    result = plan(
        {"modules_enabled": ["tls", "motd"], "hosts": {"a": {}, "b": {"modules_enabled": ["x"]}}},
        {"modules_enabled": ["tls"], "hosts": {"a": {}, "b": {"modules_enabled": ["motd", "y"]}}},
    )
    assert result.changes["a"].modules_removed == ("motd",)
    assert result.changes["b"].modules_added == ("y",)
    assert result.changes["b"].modules_removed == ("x",)
    assert "*" not in result.changes


def test_changed_options_are_told_with_old_and_new_value():
    result = plan({"a": 1, "b": "x", "hosts": {"h": {"c": [1]}}},
                  {"a": 2, "d": True, "hosts": {"h": {"c": [1, "y"]}}})
    assert str(result) == """\
all hosts:
  ~ a: 1 -> 2
  - b (was "x")
  + d: true
h:
  ~ c: [1] -> [1, "y"]"""


def test_a_value_of_another_kind_is_a_change():
    assert plan({"a": 1}, {"a": True}).changes["*"].options
    assert plan({"a": [1]}, {"a": [1.0]}).changes["*"].options
    assert plan({"a": {"b": 0}}, {"a": {"b": False}}).changes["*"].options


def test_a_host_is_affected_by_what_it_inherits_and_not_by_what_it_overrides():
    old = {"a": 1, "hosts": {"h": {}, "i": {"a": 5}, "j": {"a": 1}}}
    new = {"a": 2, "hosts": {"h": {}, "i": {"a": 5}, "j": {}}}
    changes = plan(old, new).changes
    assert changes["h"].affected == {"a"} and not changes["h"].options
    assert "i" not in changes
    assert changes["j"].affected == {"a"} and changes["j"].options[0].new is None


def test_moving_an_option_to_a_host_affects_only_whose_value_changes():
    old = {"a": 1, "hosts": {"h": {}, "i": {}}}
    new = {"hosts": {"h": {"a": 1}, "i": {}}}
    changes = plan(old, new).changes
    assert changes["h"].affected == frozenset() and changes["i"].affected == {"a"}


def test_secrets_are_not_shown(tmp_path, monkeypatch):
    result = plan(
        {"sql": {"password": "hunter1", "host": "a"}, "api_token": "hunter2", "l": [1]},
        {"sql": {"password": "hunter3", "host": "b"}, "component_secret": "hunter4",
         "l": [{"private_key": "hunter5"}]},
    )
    assert "hunter" not in str(result) + repr(result)
    shown = '{password: (secret), host: "%s"}'
    assert f"~ sql: {shown % 'a'} -> {shown % 'b'}" in str(result)
    assert "- api_token (was (secret))" in str(result)
    file = tmp_path / "main.yaml"
    file.write_text("x: {y: !env SOME_SECRET}")
    monkeypatch.setenv("SOME_SECRET", "hunter6")
    old = load(file)
    monkeypatch.setenv("SOME_SECRET", "hunter7")
    assert str(diff(old, load(file))) == "all hosts:\n  ~ x: (secret) -> (secret)"
