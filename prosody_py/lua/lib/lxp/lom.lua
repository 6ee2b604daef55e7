-- Whole documents as nested tables: { tag =, attr = { names and values }, children and texts }.

local lxp = require "lxp";

local error, ipairs, pairs, type = error, ipairs, pairs, type;
local t_insert, t_remove = table.insert, table.remove;

local MAX_DEPTH = 1000; -- what walks the tree does so on the stack

-- Return an iterator over the parts of a document: a text, a list, a function, a file.
local function parts_of(source)
	local kind = type(source);
	if kind == "string" then
		return function () local text = source; source = nil; return text; end;
	elseif kind == "function" then
		return source;
	elseif kind == "table" and not source.read then
		local at = 0;
		return function () at = at + 1; return source[at]; end;
	elseif (kind == "table" or kind == "userdata") and source.read then
		return function () return source:read(8192); end;
	end
	return error("bad argument #1 to 'parse' (text, table, function or file expected)", 3);
end

-- options: separator (namespaces), threat: ignored limits of LuaExpat are expat's own.
local function parse(source, options)
	local document, too_deep = {}, false;
	local stack = { document };
	local callbacks = {
		StartElement = function (parser, name, attr)
			local element = { tag = name; attr = attr };
			t_insert(stack[#stack], element);
			stack[#stack + 1] = element;
			if #stack > MAX_DEPTH then
				too_deep = true;
				parser:stop();
			end
		end;
		EndElement = function () t_remove(stack); end;
		CharacterData = function (_, text)
			local element = stack[#stack];
			if type(element[#element]) == "string" then
				element[#element] = element[#element] .. text;
			else
				t_insert(element, text);
			end
		end;
	};
	local parser = lxp.new(callbacks, options and options.separator);
	for part in parts_of(source) do
		local ok, err, line, column, byte = parser:parse(part);
		if not ok then return nil, too_deep and "nested too deeply" or err, line, column, byte; end
	end
	local ok, err, line, column, byte = parser:parse();
	if not ok then return nil, err, line, column, byte; end
	parser:close();
	return document[1];
end

-- Return the first element with this tag, at any depth.
local function find_elem(element, tag)
	if element.tag == tag then return element; end
	for _, child in ipairs(element) do
		if type(child) == "table" then
			local found = find_elem(child, tag);
			if found then return found; end
		end
	end
end

-- Iterate over the child elements, those with the tag if one is given.
local function list_children(element, tag)
	local at = 0;
	return function ()
		repeat at = at + 1;
		until not element[at] or type(element[at]) == "table" and (not tag or element[at].tag == tag);
		return element[at];
	end;
end

return { parse = parse; find_elem = find_elem; list_children = list_children };
