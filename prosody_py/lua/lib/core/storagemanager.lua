-- Stores of any host. Which driver keeps a store is a matter of the configuration.

local server = require "native.server";
local storagemanager = { open = server.open_store, olddm = require "util.datamanager" };

-- There is nothing to prepare: drivers are loaded when a store is opened.
function storagemanager.initialize_host() end

local function driver(host, name)
	return {
		name = name;
		open = function (_, store, kind) return server.open_store(host, store, kind); end;
	};
end

-- The driver that keeps a store, and its name.
function storagemanager.get_driver(host, store)
	local name = server.driver_name(host, store or "");
	return driver(host, name), name;
end

return storagemanager;
