-- Accounts and roles. Roles follow from the configuration: those whom `admins` names are
-- administrators, all other accounts users.

local server = require "native.server";
local roles = require "util.roles";
local sasl = require "util.sasl";
local iterators = require "util.iterators";
local jid_bare, jid_split, jid_join = require "util.jid".bare, require "util.jid".split,
	require "util.jid".join;

local ipairs, setmetatable, type = ipairs, setmetatable, type;
local usermanager = {};

local function not_possible()
	return nil, "method not implemented";
end

-- A provider that can do nothing.
function usermanager.new_null_provider()
	return setmetatable({ name = "null" }, { __index = function () return not_possible; end });
end

-- Accounts ----------------------------------------------------------------------------------------

usermanager.user_exists = server.user_exists;
usermanager.test_password = server.test_password;
usermanager.create_user = server.create_user;
usermanager.set_password = server.set_password;
usermanager.delete_user = server.delete_user;
usermanager.user_is_enabled = server.user_is_enabled;
usermanager.get_password = server.get_password; -- for the few that keep passwords

function usermanager.validate_credentials(host, username, password, method)
	if method and method:upper() ~= "PLAIN" then return nil, "method not supported"; end
	return server.test_password(username, host, password);
end

function usermanager.enable_user(username, host) return server.set_enabled(username, host, true); end
function usermanager.disable_user(username, host) return server.set_enabled(username, host, false); end

function usermanager.users(host)
	local list = server.all_users(host);
	if not list then return function () end; end
	return iterators.values(list);
end

function usermanager.get_account_info(username, host)
	if not server.user_exists(username, host) then return nil, "account-not-found"; end
	return { enabled = server.user_is_enabled(username, host) };
end

-- There is nothing to prepare: hosts get their accounts when they are activated.
function usermanager.initialize_host() end

-- The provider of a host, as plain functions.
function usermanager.get_provider(host)
	local name = server.provider_name(host);
	if not name then return usermanager.new_null_provider(host); end
	local function of_user(f)
		return function (username, ...) return f(username, host, ...); end
	end
	return {
		name = name; get_password = of_user(server.get_password);
		user_exists = of_user(server.user_exists); test_password = of_user(server.test_password);
		delete_user = of_user(server.delete_user); is_enabled = of_user(server.user_is_enabled);
		enable = of_user(usermanager.enable_user); disable = of_user(usermanager.disable_user);
		get_account_info = of_user(usermanager.get_account_info);
		users = function () return usermanager.users(host); end;
		create_user = function (username, password)
			return server.create_user(username, password, host);
		end;
		set_password = function (username, password)
			return server.set_password(username, password, host);
		end;
	};
end

-- A handler for a login that a module conducts itself.
function usermanager.get_sasl_handler(host, session)
	local provider = prosody.hosts[host] and prosody.hosts[host].users;
	if not provider then return nil; end
	if provider.get_sasl_handler then return provider.get_sasl_handler(session); end
	return sasl.new(host, {
		plain_test = function (_, username, password)
			if not server.test_password(username, host, password) then return false, nil; end
			return true, server.user_is_enabled(username, host);
		end;
	});
end

-- Roles -------------------------------------------------------------------------------------------

local function role(name, host)
	local permissions = name and server.role_permissions(name, host);
	if not permissions then return nil; end
	return roles.new { name = name, permissions = permissions };
end

function usermanager.is_admin(jid, host)
	if type(jid) ~= "string" then return nil; end
	return server.is_admin(jid_bare(jid), host or "*");
end

function usermanager.get_jid_role(jid, host)
	return role(server.role_of(jid, host), host);
end

function usermanager.get_user_role(username, host)
	if not prosody.hosts[host] then return nil, "host-not-found"; end
	return usermanager.get_jid_role(jid_join(username, host), host);
end

usermanager.get_user_default_role = usermanager.get_user_role;
function usermanager.get_user_secondary_roles() return {}; end

function usermanager.get_role_by_name(name, host)
	local found = role(name, host);
	if not found then return nil, "item-not-found"; end
	return found;
end

function usermanager.get_all_roles(host)
	local all = {};
	for _, name in ipairs(server.role_names()) do all[name] = role(name, host); end
	return all;
end

-- Whether an account may act in a role: in its own, and in those that may less.
function usermanager.user_can_assume_role(username, host, name)
	local own, below = server.role_of(jid_join(username, host), host), false;
	for _, known in ipairs(server.role_names()) do
		below = below or known == own;
		if known == name then return below; end
	end
	return false;
end

-- The roles as the set that older modules ask for.
function usermanager.get_roles(jid, host)
	if type(jid) ~= "string" then return nil; end
	return { [server.role_of(jid, host or "*")] = true };
end

function usermanager.get_user_roles(username, host)
	return usermanager.get_roles(jid_join(username, host), host);
end

function usermanager.get_jids_with_role(name, host)
	local jids = {};
	if name == "prosody:admin" then return server.admins(host); end
	for username in usermanager.users(host) do
		local jid = jid_join(username, host);
		if server.role_of(jid, host) == name then jids[#jids + 1] = jid; end
	end
	return jids;
end

function usermanager.get_users_with_role(name, host)
	local users = {};
	for _, jid in ipairs(usermanager.get_jids_with_role(name, host)) do
		local username, jid_host = jid_split(jid);
		if username and jid_host == host then users[#users + 1] = username; end
	end
	return users;
end

-- Roles are given in the configuration and nowhere else.
for _, name in ipairs {
	"set_user_role", "set_user_roles", "set_jid_role", "set_roles", "add_user_secondary_role",
	"remove_user_secondary_role", "create_user_with_role",
} do
	usermanager[name] = not_possible;
end

return usermanager;
