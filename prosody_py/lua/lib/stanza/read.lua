-- Reading methods of stanzas.
--
-- Where a method takes a name and a namespace, a missing name fits any element, and a missing
-- namespace fits elements in the namespace of the element that is asked.

local s_match, s_find, s_sub = string.match, string.find, string.sub;
local raw = require "native.raw";
local type, next, t_concat = type, raw.next, raw.concat;

local read = {};

local function fits(child, name, xmlns, own)
	if name and child.name ~= name then return false; end
	local child_ns = child.attr.xmlns;
	if xmlns then return child_ns == xmlns; end
	return child_ns == nil or child_ns == own;
end

function read:get_child(name, xmlns)
	local tags, wanted = self.tags, xmlns or self.attr.xmlns;
	for i = 1, #tags do
		local child = tags[i];
		if not name or child.name == name then
			local child_ns = child.attr.xmlns;
			if child_ns == wanted or child_ns == nil and not xmlns then return child; end
		end
	end
	return nil;
end

function read:get_child_text(name, xmlns)
	local child = self:get_child(name, xmlns);
	if child then return child:get_text(); end
	return nil;
end

function read:get_child_attr(name, xmlns, attr)
	local child = self:get_child(name, xmlns);
	if child then return child.attr[attr]; end
	return nil;
end

function read:get_child_with_attr(name, xmlns, attr, value, normalize)
	for child in self:childtags(name, xmlns) do
		local found = child.attr[attr];
		if normalize then found = normalize(found); end
		if found == value then return child; end
	end
	return nil;
end

function read:child_with_name(name)
	for _, child in next, self.tags do
		if child.name == name then return child; end
	end
	return nil;
end

function read:child_with_ns(xmlns)
	for _, child in next, self.tags do
		if child.attr.xmlns == xmlns then return child; end
	end
	return nil;
end

-- The direct text, nil when there are elements beside it.
function read:get_text()
	if #self.tags == 0 then return t_concat(self); end
	return nil;
end

function read:children()
	local i = 0;
	return function (stanza)
		i = i + 1;
		return stanza[i];
	end, self, 0;
end

function read:childtags(name, xmlns)
	local tags, own = self.tags, self.attr.xmlns;
	local i = 0;
	return function ()
		local child;
		repeat
			i = i + 1;
			child = tags[i];
		until not child or fits(child, name, xmlns, own);
		return child;
	end;
end

-- Follow a path such as "{namespace}name/name@attribute" or "name#" (its text).
function read:find(path)
	local at, length = 1, #path + 1;
	repeat
		local mark = s_sub(path, at, at);
		if mark == "@" then
			return self.attr[s_sub(path, at + 1)];
		end
		local xmlns;
		if mark == "{" then
			xmlns, at = s_match(path, "^([^}]*)}()", at + 1);
			if not at then return nil; end
		end
		local name, char, after = s_match(path, "^([^@/#]*)([/#]?)()", at);
		if name == "" then name = nil; end
		if char == "#" then
			return self:get_child_text(name, xmlns);
		end
		self = self:get_child(name, xmlns);
		at = after;
	until not self or at >= length;
	return self;
end

-- Return type, condition, text and the application's own element of an error stanza.
function read:get_error()
	local tag = self:get_child("error");
	if not tag then return nil, nil, nil, nil; end
	local condition, text, extra;
	for child in tag:childtags(nil, "urn:ietf:params:xml:ns:xmpp-stanzas") do
		if child.name == "text" then
			text = text or child:get_text();
		else
			condition = condition or child.name;
		end
	end
	for _, child in next, tag.tags do
		if child.attr.xmlns ~= "urn:ietf:params:xml:ns:xmpp-stanzas" then
			extra = child;
			break;
		end
	end
	return tag.attr.type, condition or "undefined-condition", text, extra;
end

-- Replace each child element by what `callback` returns for it; nil removes it.
function read:maptags(callback)
	local kept, kept_tags = 0, 0;
	local tags = self.tags;
	local count, tag_count = #self, #tags;
	for i = 1, count do
		local child = self[i];
		if type(child) == "table" then
			child = callback(child);
			if type(child) == "table" then
				kept_tags = kept_tags + 1;
				tags[kept_tags] = child;
			end
		end
		if child ~= nil then
			kept = kept + 1;
			self[kept] = child;
		end
	end
	for i = count, kept + 1, -1 do self[i] = nil; end
	for i = tag_count, kept_tags + 1, -1 do tags[i] = nil; end
	return self;
end

function read:remove_children(name, xmlns)
	local own = self.attr.xmlns;
	return self:maptags(function (child)
		if fits(child, name, xmlns, own) then return nil; end
		return child;
	end);
end

return read;
