-- File names.

local t_concat = table.concat;

local function resolve_relative_path(parent, path)
	if not path then return nil; end
	if not parent or path:sub(1, 1) == "/" then return path; end
	return (parent:gsub("/+$", "") .. "/" .. path:gsub("^%./+", ""));
end

-- Turn a pattern of file names (* and ?) into a Lua pattern.
local function glob_to_pattern(glob)
	return "^" .. glob:gsub("[%p*?]", function (char)
		if char == "*" then return ".*"; end
		if char == "?" then return "."; end
		return "%" .. char;
	end) .. "$";
end

local function join(first, ...)
	if select("#", ...) == 0 then return first; end
	return (t_concat({ first, ... }, "/"):gsub("//+", "/"));
end

-- Lua's search paths are not used here: nothing is added to them.
local function complement_lua_path() end

return {
	resolve_relative_path = resolve_relative_path; glob_to_pattern = glob_to_pattern; join = join;
	complement_lua_path = complement_lua_path;
};
