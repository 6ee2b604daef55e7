-- Where the file of a user, host and store is. Names cannot leave the data folder.

local lfs = require "lfs";
local s_format, s_char, tonumber = string.format, string.char, tonumber;

local folder; -- that of the server unless set

local function data_folder() return folder or prosody.paths.data; end

local function set_folder(path) folder = path; end

local function encode(text)
	return (text:gsub("[^%w]", function (char) return s_format("%%%02x", char:byte()); end));
end

local function decode(text)
	return (text:gsub("%%(%x%x)", function (digits) return s_char(tonumber(digits, 16)); end));
end

-- Underscores of a store's name stay.
local function encode_store(store)
	return (encode(store):gsub("%%5f", "_"));
end

local function host_folder(host)
	return data_folder() .. "/" .. (host and encode(host) or "_global");
end

local function store_folder(host, store)
	return host_folder(host) .. "/" .. encode_store(store);
end

-- The path of a file; with `create` the folders on the way are made.
local function file(username, host, store, extension, create)
	extension = extension or "dat";
	if create then
		lfs.mkdir(data_folder());
		lfs.mkdir(host_folder(host));
		if username then lfs.mkdir(store_folder(host, store)); end
	end
	if username then
		return store_folder(host, store) .. "/" .. encode(username) .. "." .. extension;
	end
	return store_folder(host, store) .. "." .. extension;
end

return {
	encode = encode; decode = decode; file = file; host_folder = host_folder;
	store_folder = store_folder; set_folder = set_folder;
};
