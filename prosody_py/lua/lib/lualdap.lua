-- LuaLDAP's interface to LDAP directories, on ldap3. Calls wait in a thread, not in Lua.
--
-- What LuaLDAP sends and waits for in two steps happens in one here: add, modify and the like are
-- done when they return, and the function that they return tells how it went. A search has found
-- everything when it returns.

local server = require "native.server";
local type, tostring, error, next, setmetatable, getmetatable, select, ipairs =
	type, tostring, error, next, setmetatable, getmetatable, select, ipairs;
local s_format = string.format;

if not server.ldap_available() then
	error("library 'lualdap' is not provided: the Python package ldap3 is not installed "
		.. "(pip install 'prosody-py[ldap]')", 0);
end

local PREFIX = "LuaLDAP: ";
local methods = {};
local mt = { __index = methods; __name = "LuaLDAP connection" };

function mt.__tostring(self)
	if not server.ldap_is_open(self._directory) then return "LuaLDAP connection (closed)"; end
	return "LuaLDAP connection (" .. self._where .. ")";
end

-- Arguments -------------------------------------------------------------------------------------

local function bad(at, name, what, level)
	error(s_format("bad argument #%d to '%s' (%s)", at, name, what), level + 1);
end

local function text(value, at, name, default)
	if value == nil and default ~= nil then return default; end
	if type(value) ~= "string" and type(value) ~= "number" then
		bad(at, name, "string expected, got " .. (value == nil and "no value" or type(value)), 3);
	end
	return tostring(value);
end

local function seconds(value, at, name)
	if value ~= nil and type(value) ~= "number" then
		bad(at, name, "number expected, got " .. type(value), 3);
	end
	return value ~= 0 and value or nil;
end

local function directory(self, name)
	if type(self) ~= "table" or getmetatable(self) ~= mt then
		bad(1, name, "LuaLDAP connection expected, got " .. type(self), 3);
	end
	if not server.ldap_is_open(self._directory) then
		bad(1, name, PREFIX .. "LDAP connection is closed", 3);
	end
	return self._directory;
end

-- The values of an attribute as a list, an empty one for `true`; nil for what cannot be sent.
local function values_of(value)
	if value == true then return {}; end
	if type(value) ~= "table" then value = { value }; end
	local list = {};
	for i, one in ipairs(value) do
		if type(one) ~= "string" and type(one) ~= "number" then return nil; end
		list[i] = tostring(one);
	end
	return list[1] and list or nil;
end

-- A function that tells how it went.
local function outcome(result, err)
	if result == nil then err = PREFIX .. tostring(err); end
	return function ()
		if result == nil then return nil, err; end
		return result;
	end
end

local function unusable() return nil, "Bad parameter to an ldap routine"; end

-- Connections -----------------------------------------------------------------------------------

-- The connection itself, or nil and why not.
function methods:bind_simple(who, password)
	local ok, err = server.ldap_bind(directory(self, "bind_simple"), text(who, 2, "bind_simple"),
		text(password, 3, "bind_simple"));
	if not ok then return nil, err; end
	return self;
end

function methods:add(dn, attributes)
	local to, lists = directory(self, "add"), {};
	dn = text(dn, 2, "add");
	for name, value in next, attributes or {} do
		local list = values_of(value);
		if not list or #list == 0 then return unusable(); end
		lists[tostring(name)] = list;
	end
	return outcome(server.ldap_add(to, dn, lists));
end

-- Each change is a table: "+", "-" or "=" and then attributes; `true` is all values.
function methods:modify(dn, ...)
	local to, changes = directory(self, "modify"), {};
	dn = text(dn, 2, "modify");
	for i = 1, select("#", ...) do
		local change = select(i, ...);
		if type(change) ~= "table" then break; end
		local kind = change[1];
		if kind ~= "+" and kind ~= "-" and kind ~= "=" then
			error(PREFIX .. "forgotten operation on argument #" .. (i + 2), 2);
		end
		for name, value in next, change do
			if name ~= 1 then
				local list = values_of(value);
				if not list then return unusable(); end
				changes[#changes + 1] = { kind, tostring(name), list };
			end
		end
	end
	return outcome(server.ldap_modify(to, dn, changes));
end

function methods:delete(dn)
	return outcome(server.ldap_delete(directory(self, "delete"), text(dn, 2, "delete")));
end

function methods:rename(dn, name, parent, delete_old)
	local to = directory(self, "rename");
	dn, name = text(dn, 2, "rename"), text(name, 3, "rename");
	if parent ~= nil then parent = text(parent, 4, "rename"); end
	return outcome(server.ldap_rename(to, dn, name, parent, delete_old and delete_old ~= 0));
end

function methods:compare(dn, attribute, value)
	local to = directory(self, "compare");
	return outcome(server.ldap_compare(to, text(dn, 2, "compare"), text(attribute, 3, "compare"),
		text(value, 4, "compare")));
end

-- Searching -------------------------------------------------------------------------------------

local SCOPES = { base = true; onelevel = true; subtree = true };

local function option(query, name, kind, default)
	local value = query[name];
	if value == nil then return default; end
	if kind == "string" and type(value) == "number" then value = tostring(value); end
	if type(value) ~= kind then
		error(s_format("%sinvalid value on option `%s': %s expected, got %s", PREFIX, name, kind,
			type(value)), 3);
	end
	return value;
end

-- An iterator over names and attributes. An attribute with several values is a list.
function methods:search(query)
	local to = directory(self, "search");
	if type(query) ~= "table" then error(PREFIX .. "no search specification", 2); end
	local scope = option(query, "scope", "string", "subtree");
	if not SCOPES[scope] then error(PREFIX .. "invalid search scope `" .. scope .. "'", 2); end
	local attributes = query.attrs == nil and {} or values_of(query.attrs) or {};
	local count, found = server.ldap_search(to, option(query, "base", "string", ""), scope,
		option(query, "filter", "string", ""), attributes,
		option(query, "attrsonly", "boolean", false), option(query, "sizelimit", "number", 0),
		option(query, "timeout", "number", 0));
	if not count then error(PREFIX .. tostring(found), 2); end
	local at = 0;
	return function ()
		if at == nil then bad(1, "?", PREFIX .. "LDAP search is closed", 2); end
		if at >= count then
			at, found = nil, nil;
			return nil;
		end
		at = at + 1;
		return found[at * 2 - 1], found[at * 2];
	end, query;
end

-- 1 when it was open.
function methods:close()
	if getmetatable(self) ~= mt then directory(self, "close"); end
	if not server.ldap_is_open(self._directory) then return; end
	server.ldap_close(self._directory);
	return 1;
end

-- The library -----------------------------------------------------------------------------------

local lualdap = {
	_VERSION = "LuaLDAP 1.3.0";
	_DESCRIPTION = "LuaLDAP's interface, served by the Python package ldap3";
};

local function connect(where, tls, timeout)
	local made, err = server.ldap_open(where, tls, timeout);
	if not made then return nil, err; end
	return setmetatable({ _directory = made; _where = where }, mt);
end

-- A connection that is made when it is first needed; nil and why not for a wrong address.
function lualdap.open(host, tls, timeout)
	return connect(text(host, 1, "lualdap.open"), not not tls, seconds(timeout, 3, "lualdap.open"));
end

function lualdap.initialize(uri, timeout)
	return connect(text(uri, 1, "lualdap.initialize"), false,
		seconds(timeout, 2, "lualdap.initialize"));
end

-- A connection on which `who` is logged in, nobody without a name; or nil and why not.
function lualdap.open_simple(host, who, password, tls, timeout)
	host, who = text(host, 1, "lualdap.open_simple"), text(who, 2, "lualdap.open_simple", "");
	password = text(password, 3, "lualdap.open_simple", "");
	local connection, err = connect(host, not not tls, seconds(timeout, 5, "lualdap.open_simple"));
	if not connection then return nil, err; end
	local ok, reason = server.ldap_bind(connection._directory, who, password);
	if not ok then
		server.ldap_close(connection._directory);
		return nil, reason;
	end
	return connection;
end

return lualdap;
