-- What modules ask about the process; nothing that changes it.

local native = require "native.process";

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
	local soft, hard = native.limits(require "argument".string(name, 1, "getrlimit"));
	if soft == nil then return false, hard; end
	return true, soft, hard;
end

return {
	getpid = native.getpid; getuid = native.getuid; getgid = native.getgid; uname = uname;
	meminfo = meminfo; getrlimit = getrlimit; isatty = native.isatty; ENOENT = native.ENOENT;
	_NAME = "pposix"; _VERSION = "0.4.0";
};
