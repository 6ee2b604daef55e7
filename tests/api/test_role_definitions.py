"""Roles and permissions that the configuration defines."""

import pytest

from prosody_py.api import roles
from prosody_py.api.role_definitions import RoleOptions, definitions, role_may, roles_below
from prosody_py.config.option import OptionError

HOST = "localhost"
CUSTOM = [{"name": "x:moderator", "inherits": ["prosody:registered"], "priority": 40,
           "allow": ["x:mute"], "deny": ["x:invite"]}]


@pytest.fixture
def server(start_server):
    def start(**options):
        running = start_server(["roster"], **options).server
        running.hosts[HOST].extras["permissions"] = {
            ("prosody:registered", "x:invite"): 1, ("prosody:guest", "x:read"): 1,
            ("prosody:admin", "x:rule"): 1}
        return running
    return start


def may(server, role):
    return {action for action in ("x:read", "x:invite", "x:mute", "x:rule")
            if role_may(server, HOST, role, action)}


def test_without_options_roles_inherit_as_built_in(server):
    running = server()
    assert may(running, "prosody:registered") == {"x:read", "x:invite"}
    assert may(running, "prosody:operator") == {"x:read", "x:invite", "x:rule"}
    assert may(running, "prosody:restricted") == may(running, "x:moderator") == set()


def test_a_role_of_the_configuration(server):
    running = server(custom_roles=CUSTOM)
    assert may(running, "x:moderator") == {"x:read", "x:mute"}
    assert roles_below(running, HOST, "x:moderator") == (
        "x:moderator", "prosody:registered", "prosody:guest", "prosody:restricted")
    assert list(definitions(running, HOST))[:3] == [
        "prosody:operator", "prosody:admin", "x:moderator"]
    running.hosts[HOST].users.create_user("juliet", "secret")
    roles.set_user_role(running, "juliet", HOST, "x:moderator")
    role = roles.Role(running, HOST, roles.user_role(running, "juliet", HOST))
    assert (role.name, role.priority, role.may("x:mute")) == ("x:moderator", 40, True)


def test_permissions_are_added_and_removed(server):
    running = server(add_permissions={"prosody:guest": ["x:mute"]},
                     remove_permissions={"prosody:admin": ["x:invite"]})
    assert may(running, "prosody:guest") == {"x:read", "x:mute"}
    assert may(running, "prosody:admin") == {"x:read", "x:mute", "x:rule"}
    assert may(running, "prosody:registered") == {"x:read", "x:mute", "x:invite"}


def test_roles_that_inherit_each_other_come_to_an_end(server, caplog):
    running = server(custom_roles=[{"name": "x:a", "inherits": ["x:b"], "allow": ["x:mute"]},
                                   {"name": "x:b", "inherits": ["x:a", "x:gone"]}])
    assert may(running, "x:b") == {"x:mute"}
    assert set(roles_below(running, HOST, "x:b")) == {"x:a", "x:b"}
    assert "x:b inherits x:gone, which there is not" in caplog.text


def test_a_role_without_a_name_is_a_mistake():
    with pytest.raises(OptionError, match="name is missing"):
        RoleOptions(custom_roles=[{"allow": ["x:mute"]}])
