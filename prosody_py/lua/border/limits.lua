-- What code of modules may not do to the process: load compiled chunks, which can crash it, get
-- hold of Python's objects, read from the server's own standard input, stop the collector.

local real_debug, python_function, log = ...;
local type, error, select, tostring, pcall, next = type, error, select, tostring, pcall, next;
local open, native_load, native_collect = io.open, load, collectgarbage;
local native_loadfile = loadfile;
local getinfo, getupvalue, setupvalue, getlocal, getmetatable = real_debug.getinfo,
	real_debug.getupvalue, real_debug.setupvalue, real_debug.getlocal, real_debug.getmetatable;

-- Text only -------------------------------------------------------------------------------------

local function load_text(chunk, name, mode, ...)
	if mode ~= nil and type(mode) == "string" and not mode:find("t", 1, true) then
		return nil, "compiled Lua code is not loaded here; give the source text";
	end
	if select("#", ...) > 0 then return native_load(chunk, name, "t", (...)); end
	return native_load(chunk, name, "t");
end

local function loadfile_text(path, mode, ...)
	if type(path) ~= "string" then
		error("loadfile: name a file; the server's standard input is not for modules", 2);
	end
	if select("#", ...) > 0 then return native_loadfile(path, "t", (...)); end
	return native_loadfile(path, "t");
end

load = load_text;
if loadstring then
	function loadstring(text, name) return load_text(text, name); end
end
loadfile = loadfile_text;
function dofile(path)
	if type(path) ~= "string" then
		error("dofile: name a file; the server's standard input is not for modules", 2);
	end
	local chunk, problem = native_loadfile(path, "t");
	if not chunk then error(problem, 2); end
	return chunk();
end

-- Python's objects ------------------------------------------------------------------------------

local python_mt = getmetatable(python_function);
python_mt.__metatable = false; -- whoever gets at its __gc can free an object twice
newproxy = nil; -- LuaJIT's userdata with finalizers, which no time limit can interrupt

local function shown(name, value)
	if type(value) == "userdata" and getmetatable(value) == python_mt then return name, nil; end
	return name, value;
end

-- Functions and frames of the border have nothing that is a module's business.
local function is_border(what)
	local info = getinfo(what, "S");
	return info ~= nil and info.source:find("^=border/") ~= nil;
end

local function shown_upvalue(f, number)
	if type(f) == "function" and is_border(f) then return nil; end
	return shown(getupvalue(f, number));
end

local function change_upvalue(f, number, value)
	if type(f) == "function" and is_border(f) then return nil; end
	return setupvalue(f, number, value);
end

-- The frame of this function is one more.
local function shown_local(thread, level, number)
	if type(thread) == "number" and number == nil then
		if thread ~= 0 and is_border(thread + 2) then return nil; end
		return shown(getlocal(thread == 0 and 0 or thread + 1, level));
	elseif number == nil then
		return shown(getlocal(thread, level));
	end
	return shown(getlocal(thread, level, number));
end

-- Standard input --------------------------------------------------------------------------------

local nothing = open("/dev/null", "r");
if nothing then
	io.input(nothing);
	io.stdin = nothing;
end

-- The collector ---------------------------------------------------------------------------------

local KEPT = { collect = true, count = true, step = true, isrunning = true };
local IGNORED = { stop = true, restart = true, setpause = true, setstepmul = true,
	incremental = true, generational = true };
local warned = {};

function collectgarbage(option, ...)
	if option == nil or KEPT[option] then
		if option == "step" then return native_collect("step", 0); end
		return native_collect(option or "collect", ...);
	elseif not IGNORED[option] then
		error("bad argument #1 to 'collectgarbage' (invalid option)", 2);
	end
	local where = getinfo(2, "Sl");
	local place = where and where.short_src .. ":" .. where.currentline or "?";
	if not warned[place] then
		warned[place] = true;
		log("lua", "warn", place .. ": collectgarbage(\"" .. tostring(option) .. "\") has no "
			.. "effect: the collector is the whole server's");
	end
	return 0;
end

return { getupvalue = shown_upvalue, setupvalue = change_upvalue, getlocal = shown_local };
