"""core.usermanager: accounts and roles."""

from __future__ import annotations

import pytest

from prosody_py.testing.client import Closed, wait_until

USERS = "local users = require 'core.usermanager'; "


def test_accounts_are_made_changed_and_removed(running):
    assert running.lua(USERS + """
        local u, h = "juliet", "localhost";
        assert(not users.user_exists(u, h));
        assert(users.create_user(u, "first", h));
        assert(users.test_password(u, h, "first") and not users.test_password(u, h, "second"));
        assert(users.validate_credentials(h, u, "first", "PLAIN"));
        assert(users.set_password(u, "second", h));
        assert(users.test_password(u, h, "second"));
        local names = {};
        for name in users.users(h) do names[#names + 1] = name; end
        assert(users.get_account_info(u, h).enabled == true);
        assert(users.delete_user(u, h));
        return names, users.user_exists(u, h), users.get_account_info(u, h);
    """) == (["juliet"], False, None, "account-not-found")


def test_what_fails_is_nil_and_a_text(running):
    running.server.user("juliet")
    result = running.lua(USERS + "return users.create_user('juliet', 'x', 'localhost')")
    assert result[0] is None and "juliet" in result[1]
    result = running.lua(USERS + "return users.set_password('x', 'x', 'elsewhere.example')")
    assert result[0] is None and "elsewhere.example" in result[1]
    assert running.lua(USERS + "return users.user_exists('x', 'elsewhere.example')") is False


def test_disabled_account_is_logged_out_and_cannot_come_back(running):
    client = running.server.client("juliet")
    assert running.lua(USERS + "return users.disable_user('juliet', 'localhost')") is True
    assert client.closed_with() == "not-authorized"
    assert running.lua(USERS + "return users.user_is_enabled('juliet', 'localhost')") is False
    with pytest.raises((AssertionError, Closed)):
        running.server.client("juliet")
    assert running.lua(USERS + "return users.enable_user('juliet', 'localhost')") is True
    running.server.client("juliet")


def test_removed_account_is_logged_out_and_its_removal_told(running):
    client = running.server.client("juliet")
    seen = []
    running.server.server.events.add_handler("user-deleted", lambda event: seen.append(
        event.username))
    assert running.lua(USERS + "return users.delete_user('juliet', 'localhost')") is True
    assert client.closed_with() == "not-authorized" and seen == ["juliet"]
    wait_until(lambda: not running.server.server.full_sessions)


@pytest.mark.parametrize("provider", ["users.get_provider('localhost')",
                                      "prosody.hosts.localhost.users"])
def test_provider_has_plain_functions(running, provider):
    assert running.lua(USERS + f"""
        local provider = {provider};
        assert(provider.create_user("juliet", "secret"));
        assert(provider.test_password("juliet", "secret"));
        assert(provider.is_enabled("juliet"));
        local ok, err = provider.create_user("juliet", "secret");
        return provider.name, ok, type(err), provider.user_exists("romeo");
    """) == ("internal_hashed", None, "string", False)


def test_host_without_accounts_has_a_provider_that_can_do_nothing(running):
    assert running.lua(USERS + """
        return users.get_provider("elsewhere.example").test_password("x", "y")
    """) == (None, "method not implemented")


def test_administrators_are_those_of_the_option(running):
    assert running.lua(USERS + """
        return users.is_admin("root@localhost/phone", "localhost"),
            users.is_admin("root@localhost"), users.is_admin("juliet@localhost", "localhost"),
            users.get_roles("root@localhost", "localhost"),
            users.get_jids_with_role("prosody:admin", "localhost"),
            users.get_users_with_role("prosody:admin", "localhost");
    """) == (True, True, False, {"prosody:admin": True}, ["root@localhost"], ["root"])


def test_roles_have_the_permissions_that_modules_gave_them(running):
    from prosody_py.api.module import Module
    from prosody_py.api.permissions import default_permission
    module = Module(running.server.server, "test", "localhost")
    default_permission(module, "prosody:user", ":read")
    default_permission(module, "prosody:admin", ":write")
    module.registrations.attach()
    assert running.lua(USERS + """
        local user = users.get_user_role("juliet", "localhost");
        local admin = users.get_jid_role("root@localhost", "localhost");
        return user.name, user:may("test:read"), user:may("test:write"),
            admin.name, admin:may("test:read"), admin:may("test:write"),
            users.get_role_by_name("prosody:admin", "localhost"):may("test:write"),
            users.user_can_assume_role("root", "localhost", "prosody:user"),
            users.user_can_assume_role("juliet", "localhost", "prosody:admin");
    """) == ("prosody:user", True, False, "prosody:admin", True, True, True, True, False)


def test_role_can_be_given_is_kept_and_ends_the_sessions_that_had_the_old_one(running):
    client = running.server.client("juliet")
    running.lua("""
        told = {};
        for _, name in ipairs { "changed", "added", "removed" } do
            prosody.events.add_handler("user-role-" .. name, function (event)
                local role = event.role and event.role.name or "none";
                role = event.role_name or role;
                table.insert(told, name .. " " .. event.username .. " " .. role);
            end);
        end
    """.replace("told = {}", "rawset(_G, 'told', {})"))
    assert running.lua(USERS + """
        local u, h = "juliet", "localhost";
        assert(users.set_user_role(u, h, "prosody:admin").name == "prosody:admin");
        assert(users.get_user_role(u, h).name == "prosody:admin");
        assert(users.is_admin("juliet@localhost", h));
        assert(users.get_users_with_role("prosody:admin", h)[1] == u);
        assert(users.add_user_secondary_role(u, h, "prosody:operator"));
        assert(users.get_user_secondary_roles(u, h)["prosody:operator"]:may("x") == false);
        assert(users.user_can_assume_role(u, h, "prosody:operator"));
        assert(users.get_user_roles(u, h)["prosody:operator"]);
        assert(users.remove_user_secondary_role(u, h, "prosody:operator"));
        assert(next(users.get_user_secondary_roles(u, h)) == nil);
        return told;
    """) == ["changed juliet prosody:admin", "added juliet prosody:operator",
             "removed juliet prosody:operator"]
    assert client.closed_with() == "reset"
    server = running.server.server
    assert server.storage.open("localhost", "account_roles").get("juliet") == {
        "_default": "prosody:admin"}
    del server.hosts["localhost"].extras["account_roles"]  # as after a restart
    again = running.server.client("juliet")
    assert server.full_sessions[again.jid].role.name == "prosody:admin"
    running.lua(USERS + "users.delete_user('juliet', 'localhost')")
    assert server.storage.open("localhost", "account_roles").get("juliet") is None


@pytest.mark.parametrize(("call", "code"), [
    ("set_user_role('juliet', 'localhost', 'prosody:king')", "role-not-found"),
    ("set_user_role('nobody', 'localhost', 'prosody:admin')", "user-not-found"),
    ("set_user_role('juliet', 'elsewhere.example', 'prosody:admin')", "host-not-found"),
    ("set_jid_role('a@elsewhere.example', 'localhost', 'prosody:admin')", "not-supported"),
    ("create_user_with_role('romeo', 'x', 'localhost', 'prosody:king')", "role-not-found"),
    ("get_role_by_name('prosody:king', 'localhost')", "item-not-found")])
def test_role_that_cannot_be_given_is_nil_and_a_code(running, call, code):
    running.server.user("juliet")
    assert running.lua(USERS + "return users." + call)[:2] == (None, code)


def test_account_is_made_with_a_role_and_older_modules_set_sets_of_them(running):
    assert running.lua(USERS + """
        local u, h = "romeo", "localhost";
        assert(users.create_user_with_role(u, "secret", h, "prosody:member"));
        assert(users.get_user_role(u, h).name == "prosody:member");
        assert(users.set_roles("romeo@localhost", h,
            { ["prosody:admin"] = true, ["prosody:guest"] = true }));
        assert(users.get_user_role(u, h).name == "prosody:admin");
        assert(users.set_jid_role("romeo@localhost", h, "prosody:user").name == "prosody:user");
        assert(users.get_role_by_name("prosody:admin", h).priority
            > users.get_role_by_name("prosody:user", h).priority);
        return users.get_user_roles(u, h), users.get_all_roles(h)["prosody:guest"].name;
    """) == ({"prosody:user": True, "prosody:guest": True}, "prosody:guest")


def test_who_is_disabled_is_told_with_what_the_caller_said(running):
    running.server.user("juliet")
    assert running.lua(USERS + """
        local meta;
        prosody.events.add_handler("user-disabled", function (event) meta = event.meta; end);
        users.disable_user("juliet", "localhost", { reason = "spam" });
        return meta.reason;
    """) == "spam"
