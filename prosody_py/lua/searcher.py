"""Where `require` finds libraries: in the folder of this package and nowhere else."""

from pathlib import Path
from typing import Any

_INSTALL = b"""
local lib_dir = ...;
local find, gsub, sub = string.find, string.gsub, string.sub;
local open, load = io.open, loadstring or load;
local require = require;
package.path, package.cpath = "", "";

-- Lua 5.4 puts each searcher's answer on its own line, LuaJIT (Lua 5.1) leaves that to us.
local prefix = package.searchers and "" or "\\n\\t";

local own = {};
for _, name in next, { "util", "core", "net", "prosody" } do
	own[name] = "it is no part of Prosody that this server has";
end
local unknown = "it is no known library; what a module brings itself it takes with module:require";
local C = "it is a rock that loads C code, which cannot be shared with this server's Lua";
local rocks = { cyrussasl = C, lpeg = C, cqueues = C, lsqlite3 = C, luv = C, posix = C, sodium = C,
	lunbound = C, luaevent = C, luasystem = C, rex_pcre = C, event = C, yaml = C, lyaml = C,
	msgpack = C, icu = C, GeoIP = C, ldns = C, iconv = C, oauth = C, uuid = C, zmq = C,
	lzmq = C, lua_zlib = C, rrd = C, systemd = C, ev = C, hiredis = C, mosquitto = C };

local function search(name)
	local short = find(name, "^prosody%.") and sub(name, 9) or nil;
	local file = (gsub(short or name, "%.", "/"));
	if not find(file, "^[%w_%-][%w_/%-]*$") or find(file, "//", 1, true) then
		return prefix .. "not the name of a library: " .. name;
	end
	local handle = open(lib_dir .. "/" .. file .. ".lua", "rb");
	if not handle then
		return prefix .. "library '" .. name .. "' is not provided here, because "
			.. (rocks[name:match("^[^.]+")] or own[name:match("^[^.]+")] or unknown)
			.. "; see docs/lua-modules.md";
	end
	if short then
		-- util.x and prosody.util.x must be one table: types are told by metatable.
		handle:close();
		return function () return require(short); end;
	end
	local source = handle:read("*a");
	handle:close();
	local chunk, err = load(source, "@" .. file .. ".lua");
	if not chunk then
		error("error loading library '" .. name .. "':\\n\\t" .. err, 0);
	end
	return chunk;
end

local searchers = package.searchers or package.loaders;
for i = #searchers, 2, -1 do searchers[i] = nil; end
searchers[2] = search;
"""


def install(runtime: Any, lib_dir: str | Path) -> None:
    """Make `require` of this runtime load `<lib_dir>/util/x.lua` for "util.x".

    "prosody.util.x" is the same table as "util.x". Lua's own search paths are switched off.

    runtime: a lupa LuaRuntime made with `encoding=None`.
    """
    runtime.execute(_INSTALL, str(lib_dir).encode())
