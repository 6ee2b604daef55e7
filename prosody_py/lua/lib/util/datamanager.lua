-- Data of users by name of store, as modules without module:open_store keep it.
--
-- The stores are those of the host's storage driver: what load and store know is the same as what
-- a store of the kind "keyval" has. A list is a value of such a store.

local server = require "native.server";
local lfs = require "lfs";
local type, ipairs, s_format = type, ipairs, string.format;
local callbacks = {};
local datamanager = {};

-- A callback may replace what is to be stored: it takes and returns user, host, store and data.
-- A user of false says that nothing is to be written.
function datamanager.add_callback(f)
	callbacks[#callbacks + 1] = f;
end

function datamanager.remove_callback(f)
	for i = #callbacks, 1, -1 do
		if callbacks[i] == f then
			table.remove(callbacks, i);
			return true;
		end
	end
end

function datamanager.load(username, host, name)
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:get(username);
end

function datamanager.store(username, host, name, data)
	for _, callback in ipairs(callbacks) do
		username, host, name, data = callback(username, host, name, data);
		if username == false then return true; end
	end
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:set(username, data);
end

datamanager.list_append = server.append_to_list;
datamanager.list_load = datamanager.load;

function datamanager.list_store(username, host, name, list)
	if type(list) == "table" and list[1] == nil then list = nil; end
	return datamanager.store(username, host, name, list);
end

function datamanager.users(host, name)
	local store, err = server.open_store(host, name);
	if not store then return nil, err; end
	return store:users();
end

-- Files -------------------------------------------------------------------------------------------
-- Where a module can keep files of its own.

local function encode(text)
	return (text:gsub("[^%w]", function (char) return s_format("%%%02x", char:byte()); end));
end

local function decode(text)
	return (text:gsub("%%(%x%x)", function (digits) return string.char(tonumber(digits, 16)); end));
end

-- The path of a file in the data folder; with `create` the folders on the way are made.
function datamanager.getpath(username, host, name, extension, create)
	local path = prosody.paths.data;
	local folders = { encode(host or "_global"), username and encode(name) or nil };
	for _, folder in ipairs(folders) do
		path = path .. "/" .. folder;
		if create then lfs.mkdir(path); end
	end
	return path .. "/" .. encode(username or name) .. "." .. (extension or "dat");
end

datamanager.path_encode, datamanager.path_decode = encode, decode;

return datamanager;
