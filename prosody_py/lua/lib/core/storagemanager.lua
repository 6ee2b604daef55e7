-- Stores of any host. Which driver keeps a store is a matter of the configuration.

local server = require "native.server";
local each_of = require "util.iterators".values;
local setmetatable, type = setmetatable, type;
local storagemanager = { open = server.open_store, olddm = require "datamanager.files" };

-- There is nothing to prepare: drivers are loaded when a store is opened.
function storagemanager.initialize_host(_host) end

-- A driver that keeps nothing and answers everything with false and why.
local NOTHING = "no data storage active";
local null = setmetatable({}, {
	__index = function () return function () return false, NOTHING; end; end;
});
null.name = "null";
function null.open() return null; end

-- A driver that is written in Python, as one in Lua would look.
local function face(host, name)
	return {
		name = name;
		open = function (_, store, kind) return server.open_with_driver(host, name, store, kind); end;
		purge = function (_, username) return server.purge_driver(host, name, username); end;
		stores = function (_, username)
			local found, err = server.stores_of_driver(host, name, username);
			if not found then return nil, err; end
			return each_of(found);
		end;
	};
end

-- A driver by name, loaded if it is not yet there; nil and why there is none.
function storagemanager.load_driver(host, name)
	if name == "null" then return null; end
	local driver, err = server.load_driver(host, name);
	if not driver then return nil, err; end
	return type(driver) == "table" and driver or face(host, name);
end

-- The driver that keeps a store, and its name.
function storagemanager.get_driver(host, store)
	local name = server.driver_name(host, store or "");
	local driver = storagemanager.load_driver(host, name);
	if not driver then return null, "null"; end
	return driver, name;
end

-- Delete what a user has in all stores of a host.
function storagemanager.purge(username, host) return server.purge_stores(host, username); end

return storagemanager;
