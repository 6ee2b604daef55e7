-- Data of users by name of store, as modules without module:open_store keep it.
--
-- The stores are those of the host's storage driver: what load and store know is the same as what
-- a store of the kind "keyval" has. A list is a value of such a store. The functions that speak
-- of files are those of datamanager.files, which is `core.storagemanager`.olddm.

local server = require "native.server";
local each_of = require "util.iterators".values;
local files = require "datamanager.files";
local make_lists = require "datamanager.lists";
local type, pairs = type, pairs;
local run_callbacks = files.run_callbacks;
local datamanager = {};

for name, f in pairs(files) do datamanager[name] = f; end

function datamanager.load(username, host, name)
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:get(username);
end

local function replace(username, host, name, data)
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:set(username, data);
end

function datamanager.store(username, host, name, data)
	username, host, name, data = run_callbacks(username, host, name, data);
	if username == false then return true; end
	return replace(username, host, name, data);
end

function datamanager.list_append(username, host, name, data)
	username, host, name, data = run_callbacks(username, host, name, data);
	if username == false then return true; end
	return server.append_to_list(username, host, name, data);
end

datamanager.list_load = datamanager.load;

function datamanager.list_store(username, host, name, list)
	if type(list) == "table" and list[1] == nil then list = nil; end
	return datamanager.store(username, host, name, list);
end

local lists = make_lists(datamanager.list_load, function (username, host, name, list)
	if list[1] == nil then list = nil; end
	return replace(username, host, name, list);
end);
datamanager.list_open, datamanager.list_shift = lists.open, lists.shift;

-- Of which kind the store is the driver knows by itself.
function datamanager.users(host, name, _kind)
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:users();
end

function datamanager.stores(username, host, _kind)
	local found, err = server.stores_of(host, username);
	if not found then return nil, err; end
	return each_of(found);
end

function datamanager.purge(username, host) return server.purge_stores(host, username); end

return datamanager;
