-- Text made from a stanza: render(template, stanza[, escape[, filters]]).
--
-- {path} is the text or attribute at a path as stanza:find takes it, {#} the text of the stanza
-- itself; {-path-} drops the white space around it. {path|name(argument){template}|...} hands the
-- value to filters: f(value, template), with an argument f(argument, value, template). What they
-- return is the next value; a true after it says that nothing is left to escape. Built in: `each`
-- (renders its template for every element at the path, or for the children named by its argument),
-- `and` and `or` (render their template when there is a value, or none).

local st = require "util.stanza";

local error, tostring, type = error, tostring, type;
local s_find, s_gsub, s_match, s_sub = string.find, string.gsub, string.match, string.sub;
local t_concat = table.concat;

local MAX_DEPTH = 50;

local render;

-- Return the value at a path; a prefix of an attribute is one that the stanza itself declares.
local function find(stanza, path)
	if path == "#" then return stanza:get_text(); end
	local prefix, name = s_match(path, "^@([^:]+):(.+)$");
	local namespace = prefix and stanza.namespaces and stanza.namespaces[prefix];
	if namespace then return stanza.attr[namespace .. "\1" .. name]; end
	return stanza:find(path);
end

-- Return the stanza above the last step of a path, and the namespace and name of that step.
local function split_last(stanza, path)
	local above, last = s_match(path, "^(.*)/([^/]+)$");
	if last and s_find(above, "{[^}]*$") then above, last = nil, nil; end -- a slash of a namespace
	if above then stanza = stanza:find(above); end
	local namespace, name = s_match(last or path, "^{([^}]*)}(.*)$");
	return stanza, name or last or path, namespace;
end

local function each(state, path, value, argument, template)
	local parent, name, namespace;
	if argument then
		parent = path == "." and state.root or value;
		name = argument ~= "" and argument or nil;
	else
		parent, name, namespace = split_last(state.root, path);
	end
	if not st.is_stanza(parent) then return nil; end
	local out = {};
	for child in parent:childtags(name, namespace) do
		out[#out + 1] = render(state, template or "", child);
	end
	return t_concat(out), true;
end

local function apply(state, path, value, name, argument, template)
	if name == "each" then
		return each(state, path, value, argument, template);
	elseif name == "and" then
		if value == nil or value == false then return nil; end
		return render(state, template or "", state.root), true;
	elseif name == "or" then
		if value ~= nil and value ~= false then return value; end
		return render(state, template or "", state.root), true;
	end
	local filter = state.filters and state.filters[name];
	if not filter then error("No such filter function: " .. name, 0); end
	if argument then return filter(argument, value, template); end
	return filter(value, template);
end

-- Return the path of an expression and where its filters begin.
local function read_path(text)
	local at = 1;
	while true do
		local stop = s_find(text, "[{|]", at);
		if not stop then return text, #text + 1; end
		if s_sub(text, stop, stop) == "|" then return s_sub(text, 1, stop - 1), stop; end
		local _, close = s_find(text, "^%b{}", stop);
		if not close then return text, #text + 1; end
		at = close + 1;
	end
end

-- Return the text of an expression, nil for what is none.
local function evaluate(state, text)
	local path, at = read_path(text);
	if path == "" then return nil; end
	local value, safe = find(state.root, path), false;
	while at <= #text do
		local name, next_at = s_match(text, "^|([%a_][%w_]*)()", at);
		if not name then break; end
		local argument, after_argument = s_match(text, "^(%b())()", next_at);
		next_at = after_argument or next_at;
		local template, after_template = s_match(text, "^(%b{})()", next_at);
		at = after_template or next_at;
		local new_value, new_safe = apply(state, path, value, name,
			argument and s_sub(argument, 2, -2), template and s_sub(template, 2, -2));
		if new_value ~= value or new_safe then safe = new_safe; end
		value = new_value;
	end
	if st.is_stanza(value) then value = value:get_text(); end
	if value == nil or value == false then return ""; end
	value = tostring(value);
	return safe and value or state.escape(value);
end

function render(state, template, root)
	if state.depth >= MAX_DEPTH then error("the template is nested too deeply", 0); end
	local inner = { root = root; escape = state.escape; filters = state.filters;
		depth = state.depth + 1 };
	return (s_gsub(template, "(%s*)(%b{})(%s*)", function (before, expression, after)
		local text = s_sub(expression, 2, -2);
		if s_sub(text, 1, 1) == "-" then text, before = s_sub(text, 2), ""; end
		if s_sub(text, -1) == "-" then text, after = s_sub(text, 1, -2), ""; end
		local value = evaluate(inner, text);
		return value and before .. value .. after or nil;
	end));
end

return {
	render = function (template, root, escape, filters)
		if type(template) ~= "string" then
			error("bad argument #1 to 'render' (string expected, got " .. type(template) .. ")", 2);
		end
		local state = { escape = escape or st.xml_escape; filters = filters; depth = 0 };
		return render(state, template, root);
	end;
};
