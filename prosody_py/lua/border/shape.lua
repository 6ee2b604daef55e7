-- Makers of stanza tables, generated for the shapes that come again and again.
--
-- A shape is a stanza without its values: a name and attribute names, then the children, each a
-- TEXT or an ELEMENT, its own shape and END (prosody_py/lua/shapes.py). Its maker takes the values
-- and makes all tables in one expression. Its comparer tells whether they still hold what they
-- were made of; for that the maker leaves in the stanza, under MADE_OF, the values, the element
-- tables with their `attr` and `tags`, the comparer, and last the number of the stanza. Its runner
-- makes the tables, calls a handler with them and compares at once, while it has all at hand.

local stanza_mt, MADE_OF, events = ...;
local raw = require "native.raw";
local load, type, next = loadstring or load, type, raw.next;
local s_format, t_concat = string.format, raw.concat;
local unpack = table.unpack or unpack;
local TEXT, ELEMENT, END = 1, 2, 3;
local additions = events.additions;
local noted, is_noting = additions.noted, additions.in_use;

-- One element of a shape: where its values and tables are among those of the stanza.
local function read(shape, at, state)
	local element = { name = shape[at], keys = {}, children = {} };
	at = at + 1;
	while type(shape[at]) == "string" do
		state.values = state.values + 1;
		element.keys[#element.keys + 1] = { name = shape[at], value = state.values };
		at = at + 1;
	end
	while shape[at] and shape[at] ~= END do
		if shape[at] == TEXT then
			state.values = state.values + 1;
			element.children[#element.children + 1] = { value = state.values };
			at = at + 1;
		else
			local child;
			child, at = read(shape, at + 1, state);
			element.children[#element.children + 1] = child;
		end
	end
	state.elements[#state.elements + 1] = element; -- children before their parent
	element.number = #state.elements;
	return element, at + 1;
end

local function add(out, ...) out[#out + 1] = s_format(...); end

-- Code that makes one element as the local eN, with its attributes aN and child tags tN.
local function make(out, element, made_of)
	local n, attr, tags, fields = element.number, {}, {}, {};
	for _, key in next, element.keys do add(attr, "[%q]=v%d", key.name, key.value); end
	for _, child in next, element.children do
		if child.number then add(tags, "e%d", child.number); end
		add(fields, child.number and "e%d" or "v%d", child.number or child.value);
	end
	add(out, "local a%d,t%d={%s},{%s}", n, n, t_concat(attr, ","), t_concat(tags, ","));
	if is_noting then add(out, "setmetatable(a%d,noting)", n); end
	add(out, "local e%d=setmetatable({name=%q,attr=a%d,tags=t%d,%s%s},mt)", n, element.name, n, n,
		made_of, t_concat(fields, ","));
end

-- Code that returns false when one element, in the local e, is not what it was.
local function compare(out, element, base, is_top)
	local at = base + 3 * element.number;
	add(out, is_top and "e,a,t=s,v[%d],v[%d]" or "e,a,t=v[%d],v[%d],v[%d]",
		unpack({ at - 2, at - 1, at }, is_top and 2 or 1));
	add(out, "if e.name~=%q or e.attr~=a or e.tags~=t", element.name);
	for _, key in next, element.keys do add(out, " or a[%q]~=v[%d]", key.name, key.value); end
	local tag = 0;
	for i, child in next, element.children do
		if child.number then
			tag = tag + 1;
			local place = base + 3 * child.number - 2;
			add(out, " or e[%d]~=v[%d] or t[%d]~=v[%d]", i, place, tag, place);
		else
			add(out, " or e[%d]~=v[%d]", i, child.value);
		end
	end
	-- A missing field would be looked up in the metatable: the length tells more quickly.
	add(out, " or #e~=%d or t[%d]~=nil then return false end", #element.children, tag + 1);
	local count = #element.keys;
	if count == 0 then
		add(out, "if counted and next(a)~=nil then return false end");
	else
		add(out, "if counted then");
		add(out, "k=next(a)");
		for _ = 2, count do add(out, "k=next(a,k)"); end
		add(out, "if next(a,k)~=nil then return false end end");
	end
end

-- An expression that is false when one element is not what it was just made, in the runner's
-- locals; an attribute more is found by Lua's own order of them.
local function still(out, element)
	local n, tag = element.number, 0;
	add(out, " and e%d.name==%q and e%d.attr==a%d and e%d.tags==t%d", n, element.name, n, n, n, n);
	for _, key in next, element.keys do add(out, " and a%d[%q]==v%d", n, key.name, key.value); end
	for i, child in next, element.children do
		if child.number then
			tag = tag + 1;
			add(out, " and e%d[%d]==e%d and t%d[%d]==e%d", n, i, child.number, n, tag, child.number);
		else
			add(out, " and e%d[%d]==v%d", n, i, child.value);
		end
	end
	add(out, " and #e%d==%d and t%d[%d]==nil", n, #element.children, n, tag + 1);
	local last = s_format("next(a%d)", n);
	for _ = 1, #element.keys do last = s_format("next(a%d,(%s))", n, last); end
	add(out, is_noting and " and (noted.count==count or (%s)==nil)" or " and (%s)==nil", last);
end

local CODE = [[
local setmetatable, next, mt, MADE_OF, same, events, noted, noting = ...
local fresh, enter = events.fresh, events.enter
local close, later, changed = events.close, events.later, events.changed
local KEY, tables, proxies, origin_of = events.KEY, events.tables, events.proxies, events.origin_of
local function maker(%s)
%s
return e%d
end
local function runner(f,key,origin_id,to_self,%s)
%s
fresh[number]=e%d
local origin,count=proxies[origin_id] or origin_of(key),noted.count
local event={stanza=e%d,origin=origin,to_self=to_self,[KEY]=key}
%stables[key]=event
local result,rest=enter(f,event)
fresh[number]=nil
if rest then return later(event,e%d,origin,to_self,rest) end
if result==nil and not(true%s) then changed(e%d,number) end
if %snoted.count==count and event.stanza==e%d and event.origin==origin and event.to_self==to_self then
tables[key]=nil
event[KEY]=false
else
close(key,event,e%d,origin,to_self,count)
end
if result==nil then return e%d end
return e%d,result
end
return maker,runner
]];

-- Return maker(number, values ...) and runner(function, key of the event, id of the origin, to_self,
-- number, values ...) of a shape, given as its parts.
return function (...)
	local state = { values = 0, elements = {} };
	local top = read({ ... }, 1, state);
	local base, elements = state.values, state.elements;

	-- `counted` is false while no additional key has been noted since the stanza was made.
	local code = { "local next,noted=...;return function(s,v) local e,a,t,k",
		is_noting and s_format("local counted=noted.count~=v[%d]", base + 3 * #elements + 1)
		or "local counted=true" };
	for _, element in next, elements do compare(code, element, base, element == top); end
	add(code, "return true end");
	local same = load(t_concat(code, "\n"), "=shape")(next, noted);

	local names, kept = { "number" }, {};
	for i = 1, base do
		add(names, "v%d", i);
		add(kept, "v%d", i);
	end
	for i = 1, #elements do add(kept, i < #elements and "e%d,a%d,t%d" or "false,a%d,t%d", i, i, i); end
	add(kept, "noted.count");
	local tables, unchanged = {}, {};
	for i = 1, #elements - 1 do make(tables, elements[i], ""); end
	make(tables, top, s_format("[MADE_OF]={%s,same,number},", t_concat(kept, ",")));
	for _, element in next, elements do still(unchanged, element); end
	local arguments, body, n = t_concat(names, ","), t_concat(tables, "\n"), #elements;
	code = s_format(CODE, arguments, body, n, arguments, body, n, n,
		is_noting and "setmetatable(event,noting)\n" or "", n, t_concat(unchanged), n,
		is_noting and "" or "false and ", n, n, n, n);
	return load(code, "=shape")(additions.set_metatable, next, stanza_mt, MADE_OF, same, events,
		noted, additions.mt);
end;
