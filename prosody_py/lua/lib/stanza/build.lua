-- Building methods of stanzas, and the constructors of whole stanzas.
--
-- Building works with a cursor: `tag` adds an element and goes into it, `up` goes out of it,
-- `reset` goes back to the top. The path is the field `last_add`; reading never uses it.

local raw = require "native.raw";
local type, next, error, getmetatable, setmetatable =
	type, raw.next, error, raw.getmetatable, raw.setmetatable;
local s_format, s_gsub = string.format, string.gsub;

local check = require "stanza.check";
local check_name, check_text, check_attr = check.name, check.text, check.attr;
local known_names = check.known_names; -- these need no check

local XMLNS_STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas";

-- The metatable is its own table of methods: modules call and add to either.
local stanza_mt = { __name = "stanza" };
stanza_mt.__index = stanza_mt;
local methods = stanza_mt;

local function is_stanza(value)
	return getmetatable(value) == stanza_mt;
end

local function create(name, attr, namespaces)
	return setmetatable({ name = name, attr = attr or {}, namespaces = namespaces, tags = {} },
		stanza_mt);
end

local function new(name, attr, namespaces)
	check_name(name, "tag name");
	attr = check_attr(attr);
	return create(name, attr, namespaces);
end

local function want_stanza(value, where)
	if getmetatable(value) ~= stanza_mt then
		error(s_format("bad argument to %s: expected stanza, got %s", where, type(value)), 3);
	end
end

local function cursor(self)
	local path = self.last_add;
	return path and path[#path] or self;
end

local function append(parent, child)
	if getmetatable(child) == stanza_mt or (type(child) == "table" and child.name) then
		local tags = parent.tags;
		tags[#tags + 1] = child;
	end
	parent[#parent + 1] = child;
end

-- Most of what modules do with stanzas is this, so it is written out.
function methods:tag(name, attr, namespaces)
	if not known_names[name] then check_name(name, "tag name"); end
	if attr then attr = check_attr(attr); end
	local child = setmetatable({
		name = name, attr = attr or {}, namespaces = namespaces, tags = {},
	}, stanza_mt);
	local parent, path = self, self.last_add;
	if path then
		local depth = #path;
		parent = path[depth] or self;
		path[depth + 1] = child;
	else
		self.last_add = { child };
	end
	local tags = parent.tags;
	tags[#tags + 1] = child;
	parent[#parent + 1] = child;
	return self;
end

function methods:text(text)
	if text ~= nil and text ~= "" then
		check_text(text, "text value");
		local parent = cursor(self);
		parent[#parent + 1] = text;
	end
	return self;
end

function methods:text_tag(name, text, attr, namespaces)
	check_name(name, "tag name");
	attr = check_attr(attr);
	local child = create(name, attr, namespaces);
	if text ~= nil and text ~= "" then
		check_text(text, "text value");
		child[1] = text;
	end
	append(cursor(self), child);
	return self;
end

function methods:up()
	local path = self.last_add;
	if path then path[#path] = nil; end
	return self;
end

function methods:reset()
	self.last_add = nil;
	return self;
end

function methods:at_top()
	local path = self.last_add;
	return path == nil or path[1] == nil;
end

function methods:add_child(child)
	if getmetatable(child) ~= stanza_mt then check_text(child, "text value"); end
	append(cursor(self), child);
	return self;
end

-- Unlike add_child this ignores where building is.
function methods:add_direct_child(child)
	if getmetatable(child) ~= stanza_mt then check_text(child, "text value"); end
	append(self, child);
	return self;
end

function methods:body(text, attr)
	attr = check_attr(attr);
	if text ~= nil and text ~= "" then check_text(text, "text value"); end
	return self:text_tag("body", text, attr);
end

function methods:query(xmlns)
	return self:tag("query", { xmlns = xmlns });
end

-- Copy a stanza deeply; with `only_top` without any children.
local function clone(stanza, only_top)
	local attr = {};
	for key, value in next, stanza.attr do attr[key] = value; end
	local namespaces;
	if stanza.namespaces then
		namespaces = {};
		for key, value in next, stanza.namespaces do namespaces[key] = value; end
	end
	local tags = {};
	local copy = { name = stanza.name, attr = attr, namespaces = namespaces, tags = tags };
	if not only_top then
		for i = 1, #stanza do
			local child = stanza[i];
			if type(child) == "table" then
				child = clone(child);
				tags[#tags + 1] = child;
			end
			copy[i] = child;
		end
	end
	return setmetatable(copy, stanza_mt);
end

local function public_clone(stanza, only_top)
	want_stanza(stanza, "clone");
	return clone(stanza, only_top);
end

local function message(attr, body)
	attr = check_attr(attr);
	local stanza = create("message", attr);
	if body ~= nil then stanza:text_tag("body", body); end
	return stanza;
end

local function presence(attr)
	attr = check_attr(attr);
	return create("presence", attr);
end

local function iq(attr)
	if not (attr and (attr.id or attr.type)) then
		error("iq stanzas require id and type attributes", 2);
	elseif not attr.id then
		error("iq stanzas require an id attribute", 2);
	elseif not attr.type then
		error("iq stanzas require a type attribute", 2);
	end
	attr = check_attr(attr);
	return create("iq", attr);
end

local function make_reply(orig)
	local attr = orig.attr;
	return setmetatable({ -- with places for a few children: growing costs more than the places
		name = orig.name, attr = {
			to = attr.from, from = attr.to, id = attr.id,
			type = orig.name == "iq" and "result" or attr.type,
		}, last_add = nil, tags = { nil, nil, nil }, nil, nil, nil,
	}, stanza_mt);
end

local function reply(orig)
	want_stanza(orig, "reply");
	return make_reply(orig);
end

-- What an error table adds to its <error/>.
local function add_error_extra(self, condition, extra)
	if extra.tag then self:add_child(extra.tag); end
	if extra.namespace and extra.condition then
		self:tag(extra.condition, { xmlns = extra.namespace }):up();
	end
	return condition;
end

-- Add an <error/> and stay in it. `kind` is an error type or an error table (util.error).
function methods:add_error(kind, condition, text, by)
	local extra;
	if type(kind) == "table" then
		local err = kind;
		kind, condition, text, extra = err.type, err.condition, err.text, err.extra;
		by = err.context and err.context.by or by;
	end
	if by == self.attr.from then by = nil; end
	self:tag("error", { type = kind, by = by });
	self:tag(condition, { xmlns = XMLNS_STANZAS });
	if extra and extra.uri and (condition == "gone" or condition == "redirect") then
		self:text(extra.uri);
	end
	self:up();
	if text then self:text_tag("text", text, { xmlns = XMLNS_STANZAS }); end
	if extra then add_error_extra(self, condition, extra); end
	return self;
end

local function error_reply(orig, kind, condition, text, by)
	want_stanza(orig, "error_reply");
	if orig.attr.type == "error" then
		error("bad argument to error_reply: got stanza of type error, which must not be answered",
			2);
	end
	local stanza = make_reply(orig);
	stanza.attr.type = "error";
	return stanza:add_error(kind, condition, text, by);
end

-- Return a stanza as plain nested tables that can be stored.
local function preserialize(stanza)
	local copy = { name = stanza.name, attr = stanza.attr };
	for i = 1, #stanza do
		local child = stanza[i];
		copy[i] = type(child) == "table" and preserialize(child) or child;
	end
	return copy;
end

-- Older stores wrote "|" between the namespace and the name of an attribute.
local function restore_attr(stored)
	local attr = {};
	for key, value in next, stored do
		attr[s_gsub(key, "^([^|]+)|([^|]+)$", "%1\1%2")] = value;
	end
	return attr;
end

-- Make a stanza from what `preserialize` returned; nil for nil.
local function deserialize(stored)
	if stored == nil or stored == false then return nil; end
	if type(stored) ~= "table" or type(stored.name) ~= "string" then
		error("bad argument to deserialize: expected a serialized stanza, got " .. type(stored), 2);
	end
	local stanza = create(stored.name, restore_attr(stored.attr or {}));
	local tags = stanza.tags;
	for i = 1, #stored do
		local child = stored[i];
		if type(child) == "table" then
			child = deserialize(child);
			tags[#tags + 1] = child;
		end
		stanza[i] = child;
	end
	return stanza;
end

return {
	stanza_mt = stanza_mt; is_stanza = is_stanza; create = create; stanza = new;
	clone = public_clone; message = message; presence = presence; iq = iq; reply = reply;
	error_reply = error_reply; preserialize = preserialize; deserialize = deserialize;
};
