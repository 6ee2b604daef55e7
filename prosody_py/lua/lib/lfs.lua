-- LuaFileSystem on Python's os module.

local native = require "native.files";

local argument = require "argument";

local type, error, io_type = type, error, io.type;

local NAMES = {
	"mode", "dev", "ino", "nlink", "uid", "gid", "rdev", "access", "modification", "change", "size",
	"blocks", "blksize", "permissions",
};
local POSITIONS = {};
for i = 1, #NAMES do POSITIONS[NAMES[i]] = i; end

local function read_attributes(follow, path, wanted)
	local values = { native.attributes(path, follow) };
	if values[1] == nil then return nil, values[2], values[3]; end
	if type(wanted) == "string" then
		local position = POSITIONS[wanted];
		if not position then error("invalid attribute name '" .. wanted .. "'", 3); end
		return values[position];
	end
	local result = type(wanted) == "table" and wanted or {};
	for i = 1, #NAMES do result[NAMES[i]] = values[i]; end
	return result;
end

local function attributes(path, wanted)
	path = argument.string(path, 1, "attributes");
	return read_attributes(true, path, wanted);
end

local function symlinkattributes(path, wanted)
	path = argument.string(path, 1, "symlinkattributes");
	if wanted == "target" then return native.readlink(path); end
	return read_attributes(false, path, wanted);
end

-- Iterate over the names in a folder; raises when it cannot be read.
local function dir(path)
	local names, err = native.entries(argument.string(path, 1, "dir"));
	if not names then error("cannot open " .. err, 2); end
	local next_name = names:gmatch("([^%z]+)%z");
	local state = { closed = false };
	function state.next()
		if state.closed then return nil; end
		return next_name();
	end
	function state.close() state.closed = true; end
	return state.next, state;
end

local checked = argument.on_strings({
	mkdir = native.mkdir; rmdir = native.rmdir; chdir = native.chdir; touch = native.touch;
}, 1);
local link = argument.on_strings({ link = native.link }, 2).link;

-- One process owns the files here: locks always succeed on an open file.
local function lock(file)
	if io_type(file) ~= "file" then return nil, "not an open file"; end
	return true;
end

local function lock_dir(path)
	local name = path .. "/lockfile.lfs";
	local ok, err, number = checked.mkdir(name);
	if not ok then return nil, err, number; end
	return { free = function () native.rmdir(name); end };
end

return {
	attributes = attributes; symlinkattributes = symlinkattributes; dir = dir; lock = lock;
	unlock = lock; lock_dir = lock_dir; mkdir = checked.mkdir; rmdir = checked.rmdir;
	chdir = checked.chdir; currentdir = native.currentdir; touch = checked.touch; link = link;
	setmode = function () return true, "binary"; end;
	_VERSION = "LuaFileSystem 1.8.0";
};
