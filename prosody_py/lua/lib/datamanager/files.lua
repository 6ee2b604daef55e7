-- Data of users in files, in Prosody's places and format.
--
-- <data>/<host>/<store>/<user>.dat is `return <value>;`, a .list has one `item(<value>);` after
-- the other. Data of the host itself is in <data>/<host>/<store>.dat. Names are escaped.

local server = require "native.server";
local lfs = require "lfs";
local path_of = require "datamanager.paths";
local format = require "datamanager.format";
local make_lists = require "datamanager.lists";
local each_of = require "util.iterators".values;
local log = require "util.logger".init("datamanager");
local type, ipairs, select, tostring = type, ipairs, select, tostring;
local t_concat, t_remove = table.concat, table.remove;
local ENOENT = require "util.pposix".ENOENT;

local dm = {
	path_encode = path_of.encode; path_decode = path_of.decode; getpath = path_of.file;
	set_data_path = path_of.set_folder;
};

-- Callbacks -------------------------------------------------------------------------------------

local callbacks = {};

-- A callback may replace what is to be stored: it takes and returns user, host, store and data.
-- A user of false says that nothing is to be written.
function dm.add_callback(f)
	for i = #callbacks, 1, -1 do
		if callbacks[i] == f then return false; end
	end
	callbacks[#callbacks + 1] = f;
	return true;
end

function dm.remove_callback(f)
	for i = #callbacks, 1, -1 do
		if callbacks[i] == f then
			t_remove(callbacks, i);
			return true;
		end
	end
end

function dm.run_callbacks(username, host, store, data)
	for _, callback in ipairs(callbacks) do
		username, host, store, data = callback(username, host, store, data);
		if username == false then return false; end
	end
	return username, host, store, data;
end

-- Values ----------------------------------------------------------------------------------------

local function failed(what, path, err)
	log("error", "%s %s: %s", what, path, tostring(err));
	return nil, what;
end

local function read(path, parse)
	local text, err, number = server.file_read(path);
	if not text then
		if number == ENOENT then return nil; end
		return failed("Error reading storage", path, err);
	end
	local value, reason = parse(text);
	if value == nil and reason then return failed("Error reading storage", path, reason); end
	return value;
end

local function write(path, text)
	local ok, err = server.file_write(path, text);
	if not ok then return failed("Error saving to storage", path, err); end
	return true;
end

function dm.load(username, host, store)
	return read(path_of.file(username, host, store), format.read_value);
end

local function is_nothing(data)
	return data == nil or type(data) == "table" and next(data) == nil;
end

local function remove(path)
	local ok, err = server.file_remove(path);
	if not ok then return failed("Error saving to storage", path, err); end
	return true;
end

function dm.store(username, host, store, data)
	username, host, store, data = dm.run_callbacks(username, host, store, data);
	if username == false then return true; end
	if is_nothing(data) then return remove(path_of.file(username, host, store)); end
	local text = format.write_value(data);
	return write(path_of.file(username, host, store, "dat", true), text);
end

-- Replace a file of any name in one step.
function dm.store_raw(path, text)
	local ok, err, number = server.file_write(path, text);
	if not ok then return nil, err, number; end
	return true;
end

-- Lists -----------------------------------------------------------------------------------------

function dm.list_load(username, host, store)
	return read(path_of.file(username, host, store, "list"), format.read_list);
end

-- Add text to a file of the store; true and the place where it begins.
function dm.append_raw(username, host, store, extension, text)
	return server.file_append(path_of.file(username, host, store, extension, true), text);
end

function dm.list_append(username, host, store, data)
	if data == nil then return true; end
	username, host, store, data = dm.run_callbacks(username, host, store, data);
	if username == false then return true; end
	local ok, err, number = dm.append_raw(username, host, store, "list", format.write_item(data));
	if not ok then return nil, err, number; end
	return true;
end

local function replace_list(username, host, store, data)
	if is_nothing(data) then return remove(path_of.file(username, host, store, "list")); end
	local lines = {};
	for i, item in ipairs(data) do lines[i] = format.write_item(item); end
	return write(path_of.file(username, host, store, "list", true), t_concat(lines));
end

function dm.list_store(username, host, store, data)
	username, host, store, data = dm.run_callbacks(username, host, store, data);
	if username == false then return true; end
	return replace_list(username, host, store, data);
end

local lists = make_lists(dm.list_load, replace_list);
dm.list_open, dm.list_shift = lists.open, lists.shift;

-- Who has what ----------------------------------------------------------------------------------

local EXTENSIONS = { list = "list"; archive = "list" };

-- The names in a folder that end with the extension, without it and decoded.
local function names(folder, extension)
	local found = {};
	if lfs.attributes(folder, "mode") ~= "directory" then return found; end
	for entry in lfs.dir(folder) do
		local name = entry:match("^(.+)%." .. extension .. "$");
		if name and lfs.attributes(folder .. "/" .. entry, "mode") == "file" then
			found[#found + 1] = path_of.decode(name);
		end
	end
	return found;
end

local function stores_of(folder)
	local found = {};
	if lfs.attributes(folder, "mode") ~= "directory" then return found; end
	for entry in lfs.dir(folder) do
		if entry ~= "." and entry ~= ".."
			and lfs.attributes(folder .. "/" .. entry, "mode") == "directory" then
			found[#found + 1] = entry;
		end
	end
	return found;
end

-- Iterate over the users with data of a type: "keyval", or "list" which is "archive" as well.
function dm.users(host, store, kind)
	return each_of(names(path_of.store_folder(host, store), EXTENSIONS[kind] or "dat"));
end

-- Iterate over the stores that a user has, with true all stores, with nil those of the host itself.
function dm.stores(username, host, kind)
	local folder = path_of.host_folder(host);
	local extension = EXTENSIONS[kind] or "dat";
	if not username then return each_of(names(folder, extension)); end
	local found = {};
	for _, entry in ipairs(stores_of(folder)) do
		local store = path_of.decode(entry);
		if username == true
			or lfs.attributes(path_of.file(username, host, store, extension), "mode") == "file" then
			found[#found + 1] = store;
		end
	end
	return each_of(found);
end

-- Remove the values and lists of a user in all stores: true, or false and what stayed.
function dm.purge(username, host)
	local errors = {};
	for _, entry in ipairs(stores_of(path_of.host_folder(host))) do
		for _, extension in ipairs { "dat", "list" } do
			local path = path_of.file(username, host, path_of.decode(entry), extension);
			local ok, err = server.file_remove(path);
			if not ok then errors[#errors + 1] = err; end
		end
	end
	return #errors == 0, t_concat(errors, ", ");
end

return dm;
