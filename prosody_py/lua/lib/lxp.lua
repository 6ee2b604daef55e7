-- LuaExpat's interface: new(callbacks[, separator[, merge_character_data]]) returns a parser.
--
-- A chunk is read as a whole before its callbacks run, so a callback that stops the parser leaves
-- out the rest of what was read. External entities are never loaded.

local native = require "native.expat";

local error, ipairs, pairs, rawget, select, setmetatable, tostring, type =
	error, ipairs, pairs, rawget, select, setmetatable, tostring, type;
local t_concat, unpack = table.concat, table.unpack or unpack;

local EVENTS = {};
for name in native.EVENTS:gmatch("%S+") do EVENTS[name] = true; end

local methods = {};
local parser_mt = { __index = methods; __name = "Expat" };
local states = setmetatable({}, { __mode = "k" });

function parser_mt.__tostring(parser)
	return "Expat: " .. tostring(states[parser]):gsub("^table: ", "");
end

local function state_of(parser)
	local state = states[parser];
	if not state then error("bad argument #1 (Expat expected)", 3); end
	if state.closed then error("bad argument #1 (parser is closed)", 3); end
	return state;
end

local function start_element(callback, parser, values, at, count)
	local attr = {};
	for i = 1, count - 1, 2 do
		local name = values[at + i];
		attr[(i + 1) / 2], attr[name] = name, values[at + i + 1];
	end
	callback(parser, values[at], attr);
end

local function other(callback, parser, values, at, count)
	callback(parser, unpack(values, at, at + count - 1));
end

-- Call the callbacks for what a chunk had. An event: name, line, column, byte, number of values,
-- values.
local function dispatch(parser, state, values)
	local at = 1;
	while values[at] and not state.stopped do
		local name, count = values[at], values[at + 4];
		state.line, state.column, state.byte = values[at + 1], values[at + 2], values[at + 3];
		local callback = state.callbacks[name];
		if callback then
			local call = name == "StartElement" and start_element or other;
			call(callback, parser, values, at + 5, count);
		end
		at = at + 5 + count;
	end
end

local function wanted_names(callbacks)
	local names = {};
	for name in pairs(EVENTS) do
		if callbacks[name] then names[#names + 1] = name; end
	end
	return t_concat(names, " ");
end

local function collector(values)
	local count = 0;
	return function (...)
		local more, number = { ... }, select("#", ...);
		for i = 1, number do values[count + i] = more[i]; end
		count = count + number;
	end;
end

local function place(state, reason)
	return nil, reason, state.line, state.column, state.byte;
end

local function read(parser, state, data)
	if state.handle == nil then
		local handle, err = native.new(wanted_names(state.callbacks), state.separator,
			state.encoding, state.triplets, state.merged);
		if handle == nil then return nil, err; end
		state.handle = handle;
	end
	local values = {};
	state.busy = true;
	local ok, reason, line, column, byte = native.parse(state.handle, data or "", data == nil,
		collector(values));
	-- An error in a callback must not leave the parser at work for ever.
	local went_well, err = pcall(dispatch, parser, state, values);
	state.busy = false;
	if not went_well then error(err, 0); end
	if state.stopped then return place(state, "parsing aborted"); end
	state.line, state.column, state.byte = native.position(state.handle);
	if not ok then
		state.failed = true;
		return nil, reason, line, column, byte;
	end
	if data == nil then state.finished = true; end
	return parser;
end

-- Read a part of the document, the end of it without an argument. Return the parser, or nil,
-- a reason, line, column and byte.
function methods:parse(data)
	local state = state_of(self);
	if data ~= nil and type(data) ~= "string" then
		if type(data) ~= "number" then error("bad argument #2 to 'parse' (string expected)", 2); end
		data = tostring(data);
	end
	if state.busy then error("the parser cannot be used in its own callbacks", 2); end
	if state.finished then
		if data == nil then return self; end
		return nil, "cannot parse - document is finished";
	end
	if state.stopped then return place(state, "parsing finished"); end
	return read(self, state, data);
end

-- End the document; raises an error when it is not complete.
function methods:close()
	local state = states[self];
	if state.closed then return self; end
	if state.busy then error("error closing parser: it is at work", 2); end
	local reason = state.stopped and "parsing finished";
	if not reason and not state.finished and not state.failed and state.handle ~= nil then
		local ok, err = read(self, state, nil);
		reason = not ok and err or nil;
	end
	state.closed, state.handle = true, nil;
	if reason then error("error closing parser: " .. reason, 2); end
	return self;
end

function methods:stop()
	state_of(self).stopped = true;
	return self;
end

function methods:pos()
	local state = state_of(self);
	return state.line, state.column, state.byte;
end

function methods:getcurrentbytecount()
	return state_of(self).byte - 1;
end

function methods:getcallbacks()
	return state_of(self).callbacks;
end

-- Only before the first parse().
function methods:setencoding(encoding)
	local state = state_of(self);
	if state.handle ~= nil then return nil; end
	state.encoding = encoding;
	return self;
end

function methods:returnnstriplet(enabled)
	local state = state_of(self);
	state.triplets = enabled ~= false;
	return self;
end

function methods:setbase(base)
	state_of(self).base = base;
	return self;
end

function methods:getbase()
	return state_of(self).base;
end

local function new(callbacks, separator, merged)
	if type(callbacks) ~= "table" then
		error("bad argument #1 to 'lxp.new' (table expected, got " .. type(callbacks) .. ")", 2);
	end
	if rawget(callbacks, "_nonstrict") == nil then
		for name in pairs(callbacks) do
			if not EVENTS[name] then
				error("bad argument #-1 to 'lxp.new' (invalid option '" .. tostring(name) .. "')", 2);
			end
		end
	end
	if type(separator) == "string" and #separator > 1 then
		error("bad argument #2 to 'lxp.new' (a single character expected)", 2);
	end
	local parser = setmetatable({}, parser_mt);
	states[parser] = {
		callbacks = callbacks; separator = separator ~= "" and separator or nil;
		merged = merged ~= false; line = 1; column = 1; byte = 1;
	};
	return parser;
end

return {
	new = new; _VERSION = "LuaExpat 1.5.1"; _EXPAT_VERSION = native.VERSION;
};
