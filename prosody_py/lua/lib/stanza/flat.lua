-- The border form of stanzas: one flat list of values per stanza (the other half is flat.py).
--
-- An element is its head, the values of its attributes in the order of the head, and what its
-- head says about children. A head is one string, the same for all elements of that shape:
--     KIND name \2 attribute name \2 attribute name ...
-- KIND "0": no children. KIND "1": one text, which follows the values. KIND "2": a list of
-- children up to `false`; in it a text comes as `true, text`, anything else is an element.
--
-- Heads repeat, so each side keeps a table of the heads it has seen: then names and attribute
-- names cost neither conversion nor hashing.

local raw = require "native.raw";
local setmetatable, next, type, tostring, error, load =
	raw.setmetatable, raw.next, type, tostring, error, load or loadstring;
local s_byte, s_gmatch, s_rep, s_format = string.byte, string.gmatch, string.rep, string.format;
local t_concat = raw.concat;
local unpack = table.unpack or unpack;

local MAX_HEADS = 2000; -- the names come from peers: forget all when there are too many
local MAX_VALUES = 4000; -- more than this do not fit on the stack of a call

return function (stanza_mt)
	-- Constructors are generated per number of attributes, so that the attribute table is made
	-- in its right size at once. Names are arguments of the generated code, never part of it.
	local makers = {};

	local function maker(count)
		local keys, pairs_of = {}, {};
		for i = 1, count do
			keys[i] = "k" .. i;
			pairs_of[i] = s_format("[k%d] = t[i + %d]", i, i);
		end
		local code = s_format([[
			local setmetatable, mt, list, name, kind%s = ...;
			if kind == 0 then
				return function (t, i)
					return setmetatable({ name = name, attr = { %s }, tags = {} }, mt), i + %d;
				end
			elseif kind == 1 then
				return function (t, i)
					return setmetatable({ name = name, attr = { %s }, tags = {}, t[i + %d] }, mt),
						i + %d;
				end
			end
			return function (t, i)
				return list({ name = name, attr = { %s }, tags = false }, t, i + %d);
			end]],
			count > 0 and ", " .. t_concat(keys, ", ") or "",
			t_concat(pairs_of, ", "), count + 1,
			t_concat(pairs_of, ", "), count + 1, count + 2,
			t_concat(pairs_of, ", "), count + 1);
		return load(code, "=stanza.flat");
	end

	local heads, head_count = {}, 0;

	local list; -- read a list of children

	local function learn(head)
		local kind = s_byte(head) - 48;
		local parts, n = {}, 0;
		for part in s_gmatch(head:sub(2), "[^\2]+") do
			n = n + 1;
			parts[n] = part;
		end
		if not makers[n] then makers[n] = maker(n - 1); end
		if head_count >= MAX_HEADS then heads, head_count = {}, 0; end
		head_count = head_count + 1;
		heads[head] = makers[n](setmetatable, stanza_mt, list, parts[1], kind, unpack(parts, 2, n));
		return heads[head];
	end

	function list(stanza, t, i)
		local tags, n, tag_count = {}, 0, 0;
		stanza.tags = tags;
		local value = t[i];
		while value do
			n = n + 1;
			if value == true then
				stanza[n] = t[i + 1];
				i = i + 2;
			else
				local child;
				child, i = (heads[value] or learn(value))(t, i);
				tag_count = tag_count + 1;
				tags[tag_count] = child;
				stanza[n] = child;
			end
			value = t[i];
		end
		return setmetatable(stanza, stanza_mt), i + 1;
	end

	local function from_flat_table(t)
		local head = t[1];
		return ((heads[head] or learn(head))(t, 1));
	end

	local function from_flat(...)
		return from_flat_table({ ... });
	end

	local function put(stanza, out, n)
		local name = stanza.name;
		local first = stanza[1];
		local kind = first == nil and "0" or "2";
		if kind == "2" and stanza[2] == nil and type(first) ~= "table" then kind = "1"; end
		local at = n + 1;
		n = at;
		local head = kind .. name;
		for key, value in next, stanza.attr do
			head = head .. "\2" .. key;
			n = n + 1;
			out[n] = value;
		end
		out[at] = head;
		if kind == "0" then return n; end
		if kind == "1" then
			out[n + 1] = first;
			return n + 1;
		end
		for i = 1, #stanza do
			local child = stanza[i];
			if type(child) == "table" then
				n = put(child, out, n);
			else
				out[n + 1] = true; out[n + 2] = child;
				n = n + 2;
			end
		end
		out[n + 1] = false;
		return n + 1;
	end

	-- A stanza of too many values comes as nil, their number and the table that holds them.
	local function to_flat(stanza)
		local out = {};
		local n = put(stanza, out, 0);
		if n > MAX_VALUES then return nil, n, out; end
		return unpack(out, 1, n);
	end

	-- Add values to a list that is too long for one call, at most MAX_VALUES at a time.
	local function flat_extend(t, ...)
		local values = { ... };
		t = t or {};
		local n = #t;
		for i = 1, #values do t[n + i] = values[i]; end
		return t;
	end

	local function flat_slice(t, first, last)
		return unpack(t, first, last);
	end

	return {
		from_flat = from_flat; to_flat = to_flat; from_flat_table = from_flat_table;
		flat_extend = flat_extend; flat_slice = flat_slice;
	};
end;
