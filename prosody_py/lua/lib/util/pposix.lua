-- What modules ask about the process, and change of it. Daemons are made by who starts the server.

local native = require "native.process";
local want_string = require "argument".string;

local type, select, tonumber, error, s_format = type, select, tonumber, error, string.format;

local function uname(field)
	local sysname, nodename, release, version, machine = native.uname();
	local info = {
		sysname = sysname; nodename = nodename; release = release; version = version;
		machine = machine;
	};
	if field then return info[field]; end
	return info;
end

-- Sizes in bytes; Python's allocator does not tell what is in use.
local function meminfo()
	local resident = native.memory();
	return { allocated = resident; allocated_mmap = 0; used = resident; unused = 0; returnable = 0 };
end

local function getrlimit(name)
	local soft, hard = native.limits(want_string(name, 1, "getrlimit"));
	if soft == nil then return false, hard; end
	return true, soft, hard;
end

local function limit_of(value, position)
	if value == nil then return nil; end
	if value == "unlimited" then return -1; end
	local number = tonumber(value);
	if not number then
		error(s_format("bad argument #%d to 'setrlimit' (unexpected type)", position), 3);
	end
	return number - number % 1;
end

local function setrlimit(...)
	local count = select("#", ...);
	if count < 1 or count > 3 then return false, "incorrect-arguments"; end
	local name, soft, hard = ...;
	return native.set_limits(want_string(name, 1, "setrlimit"), limit_of(soft, 2), limit_of(hard, 3));
end

-- The mask of new files as octal digits; the one before comes back so that it can be set again.
local function umask(mask)
	local number = tonumber(want_string(mask, 1, "umask"), 8);
	if not number or number < 0 then
		error("bad argument #1 to 'umask' (an octal number expected)", 2);
	end
	return s_format("%03o", native.umask(number % 512));
end

-- A function for a user or a group by name or number.
local function becoming(change, invalid)
	return function (...)
		if select("#", ...) == 0 then return; end
		local wanted = ...;
		local number = tonumber(wanted);
		if not number and type(wanted) ~= "string" then return false, invalid; end
		return change(number or wanted);
	end
end

local function initgroups(name, group)
	local kind = type(name);
	if kind ~= "string" and kind ~= "number" then return nil, "invalid-username"; end
	if group ~= nil and type(group) ~= "number" then return nil, "invalid-gid"; end
	return native.set_groups_of(name .. "", group);
end

-- A process with threads cannot go on as its own child, so this is always refused.
local function daemonize()
	if native.getppid() == 1 then return false, "already-daemonized"; end
	return false, "this server stays in the foreground; let a service manager put it into the background";
end

return {
	getpid = native.getpid; getuid = native.getuid; getgid = native.getgid; uname = uname;
	meminfo = meminfo; getrlimit = getrlimit; setrlimit = setrlimit; isatty = native.isatty;
	umask = umask; initgroups = initgroups; daemonize = daemonize;
	setuid = becoming(native.set_user, "invalid-uid");
	setgid = becoming(native.set_group, "invalid-gid");
	mkdir = function (path) return native.make_folder(want_string(path, 1, "mkdir")); end;
	setenv = function (name, value)
		return native.set_variable(want_string(name, 1, "setenv"),
			value ~= nil and want_string(value, 2, "setenv") or nil);
	end;
	ENOENT = native.ENOENT; _NAME = "pposix"; _VERSION = "0.4.0";
};
