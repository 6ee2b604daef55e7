-- Defines the global import(library, names...): the named members of a library.

local unpack = table.unpack or unpack;
local require, type, select = require, type, select;

function _G.import(library, ...)
	local t = type(library) == "string" and require(library) or library;
	local members, count = {}, select("#", ...);
	for i = 1, count do members[i] = t[(select(i, ...))]; end
	return unpack(members, 1, count);
end

return true;
