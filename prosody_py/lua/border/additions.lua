-- Notes when a key is added to a table: by `mt`, the metatable of tables that are just made. Lua 5.4
-- asks it for each key that the table has not got yet; with the first one it goes away again. As
-- long as `noted.count` is what it was, no such table has got an additional key, and nobody need
-- count the keys: `next` is a function of C, and each call of it costs as much as twenty
-- instructions of Lua. What the code of modules can add keys with beside that notes it too, and
-- `getmetatable` does not show it (border/traversal.lua).
--
-- LuaJIT's functions on tables add without asking, and its `next` is quick: nothing there is noted.

local set_metatable = debug.setmetatable;
local rawset = rawset;
local noted = { count = 0 };
local mt = {};

function mt.__newindex(t, key, value)
	noted.count = noted.count + 1;
	set_metatable(t, nil);
	rawset(t, key, value);
end

local in_use = _VERSION == "Lua 5.4";
return {
	noted = noted; mt = mt; in_use = in_use;
	set_metatable = in_use and set_metatable or setmetatable; -- LuaJIT's own returns true
};
