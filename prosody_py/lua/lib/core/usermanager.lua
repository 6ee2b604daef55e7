-- Accounts and roles. Those whom the option `admins` names are administrators; other accounts are
-- users unless they were given another role.

local server = require "native.server";
local roles = require "util.roles";
local sasl = require "util.sasl";
local iterators = require "util.iterators";
local jid_bare, jid_split, jid_join = require "util.jid".bare, require "util.jid".split,
	require "util.jid".join;

local ipairs, pairs, setmetatable, type = ipairs, pairs, setmetatable, type;
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
function usermanager.disable_user(username, host, meta)
	return server.set_enabled(username, host, false, meta);
end

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
function usermanager.initialize_host(_host) end

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
	local profile = {
		plain_test = function (_, username, password)
			if not server.test_password(username, host, password) then return false, nil; end
			return true, server.user_is_enabled(username, host);
		end;
	};
	for _, hash in ipairs(server.scram_hashes(host)) do
		profile["scram_" .. hash:lower():gsub("%-", "_")] = function (_, username)
			return server.scram_keys(username, host, hash);
		end;
	end
	return sasl.new(host, profile);
end

-- Roles -------------------------------------------------------------------------------------------

local function role(name, host)
	local permissions = name and server.role_permissions(name, host);
	if not permissions then return nil; end
	return roles.new { name = name, permissions = permissions,
		priority = server.role_priority(name, host) };
end

-- The name of the role that a JID has; only the first look at a host waits for the store.
local function role_name(jid, host)
	return server.known_role_of(jid, host) or server.role_of(jid, host);
end

function usermanager.is_admin(jid, host)
	if type(jid) ~= "string" then return nil; end
	return server.is_admin(jid_bare(jid), host or "*");
end

function usermanager.get_jid_role(jid, host)
	return role(role_name(jid, host), host);
end

function usermanager.get_user_role(username, host)
	if not prosody.hosts[host] then return nil, "host-not-found"; end
	return usermanager.get_jid_role(jid_join(username, host), host);
end

usermanager.get_user_default_role = usermanager.get_user_role;

-- The further roles of an account: name -> role.
function usermanager.get_user_secondary_roles(username, host)
	local found = {};
	for _, name in ipairs(server.secondary_roles(username, host)) do
		found[name] = role(name, host);
	end
	return found;
end

function usermanager.get_role_by_name(name, host)
	local found = role(name, host);
	if not found then return nil, "item-not-found"; end
	return found;
end

function usermanager.get_all_roles(host)
	local all = {};
	for _, name in ipairs(server.role_names(host)) do all[name] = role(name, host); end
	return all;
end

-- Sets the role of an account, and ends its sessions: they have the old one.
function usermanager.set_user_role(username, host, name)
	local ok, condition, text = server.set_user_role(username, host, name);
	if not ok then return nil, condition, text; end
	return role(name, host);
end

function usermanager.set_jid_role(jid, host, name)
	local username, jid_host = jid_split(jid);
	if not username or jid_host ~= host then return nil, "not-supported"; end
	return usermanager.set_user_role(username, host, name);
end

usermanager.add_user_secondary_role = server.add_secondary_role;
usermanager.remove_user_secondary_role = server.remove_secondary_role;

function usermanager.create_user_with_role(username, password, host, name)
	if not role(name, host) then return nil, "role-not-found"; end
	local ok, err = usermanager.create_user(username, password, host);
	if not ok then return nil, err; end
	local given, condition, text = usermanager.set_user_role(username, host, name);
	if not given then
		usermanager.delete_user(username, host);
		return nil, condition, text;
	end
	return true;
end

-- Whether an account may act in a role: in its own, in those that may less, and in further ones.
function usermanager.user_can_assume_role(username, host, name)
	local own = role_name(jid_join(username, host), host);
	for _, known in ipairs(server.roles_below(own, host)) do
		if known == name then return true; end
	end
	return usermanager.get_user_secondary_roles(username, host)[name] ~= nil;
end

-- The roles as the set that older modules ask for.
function usermanager.get_roles(jid, host)
	if type(jid) ~= "string" then return nil; end
	host = host or "*";
	local found = { [role_name(jid, host)] = true };
	local username, jid_host = jid_split(jid);
	if username and jid_host == host then
		for _, name in ipairs(server.secondary_roles(username, host)) do found[name] = true; end
	end
	return found;
end

function usermanager.get_user_roles(username, host)
	return usermanager.get_roles(jid_join(username, host), host);
end

-- Takes a name or a set of names; the one that may most becomes the role of the account.
function usermanager.set_user_roles(username, host, wanted)
	if type(wanted) == "string" then wanted = { [wanted] = true }; end
	local first;
	for _, name in ipairs(server.role_names(host)) do
		if wanted[name] and not first then first = name; end
	end
	if not first then return nil, "role-not-found"; end
	for name in pairs(usermanager.get_user_secondary_roles(username, host)) do
		if not wanted[name] then server.remove_secondary_role(username, host, name); end
	end
	local ok, condition, text = usermanager.set_user_role(username, host, first);
	if not ok then return nil, condition, text; end
	for name, set in pairs(wanted) do
		if set and name ~= first then server.add_secondary_role(username, host, name); end
	end
	return true;
end

function usermanager.set_roles(jid, host, wanted)
	local username, jid_host = jid_split(jid);
	if not username or jid_host ~= host then return nil, "not-supported"; end
	return usermanager.set_user_roles(username, host, wanted);
end

function usermanager.get_users_with_role(name, host)
	return server.users_with_role(host, name);
end

function usermanager.get_jids_with_role(name, host)
	local jids, seen = {}, {};
	local function add(jid)
		if not seen[jid] then
			seen[jid] = true;
			jids[#jids + 1] = jid;
		end
	end
	for _, username in ipairs(server.users_with_role(host, name)) do
		add(jid_join(username, host));
	end
	if name == "prosody:admin" then
		for _, jid in ipairs(server.admins(host)) do add(jid); end
	end
	return jids;
end

return usermanager;
