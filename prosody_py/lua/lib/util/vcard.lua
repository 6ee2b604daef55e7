-- vCards: text (RFC 2426), vcard-temp (XEP-0054) and vCard4 (RFC 6351) by way of one form.
--
-- A card is a list of properties { name = "TEL", TYPE = { "work" }, value, value ... }: parameters
-- are lists. from_text gives a list of cards.

local st = require "util.stanza";

local ipairs, pairs, type = ipairs, pairs, type;
local s_gsub, s_lower, s_match, s_sub, s_upper =
	string.gsub, string.lower, string.match, string.sub, string.upper;
local t_concat, t_insert, t_sort = table.concat, table.insert, table.sort;

local XMLNS_TEMP, XMLNS_4 = "vcard-temp", "urn:ietf:params:xml:ns:vcard-4.0";
local MAX_SIZE = 1024 * 1024;

-- Properties with parts: name -> { in vcard-temp, in vCard4 }, in the order of the text form.
local PARTS = {
	N = { { "FAMILY", "GIVEN", "MIDDLE", "PREFIX", "SUFFIX" },
		{ "surname", "given", "additional", "prefix", "suffix" } };
	ADR = { { "POBOX", "EXTADD", "STREET", "LOCALITY", "REGION", "PCODE", "CTRY" },
		{ "pobox", "ext", "street", "locality", "region", "code", "country" } };
	ORG = { { "ORGNAME", "ORGUNIT" }, nil };
	GEO = { { "LAT", "LON" }, nil };
};
-- Properties whose value stands in an element of its own in vcard-temp.
local VALUE_TAGS = { TEL = "NUMBER"; EMAIL = "USERID" };
local BINARY = { PHOTO = true; LOGO = true; SOUND = true; KEY = true };
local LISTS = { NICKNAME = true; CATEGORIES = true };
local TYPES = {};
for name in ("HOME WORK PREF VOICE FAX PAGER MSG CELL VIDEO BBS MODEM ISDN PCS INTERNET X400 DOM "
		.. "INTL POSTAL PARCEL"):gmatch("%S+") do
	TYPES[name] = true;
end
local KINDS_4 = { URL = "uri"; PHOTO = "uri"; LOGO = "uri"; SOUND = "uri"; KEY = "uri"; GEO = "uri";
	BDAY = "date"; REV = "timestamp"; LANG = "language-tag" };

-- Text --------------------------------------------------------------------------------------------

local function escape(text)
	return (s_gsub(s_gsub(text, "[\\,;]", "\\%0"), "\r?\n", "\\n"));
end

local function unescape(text)
	return (s_gsub(text, "\\(.)", function (char)
		return (char == "n" or char == "N") and "\n" or char;
	end));
end

-- Split at a separator that has no backslash before it.
local function split(text, separator)
	local parts, pieces = {}, {};
	local at = 1;
	while at <= #text do
		local piece = s_match(text, "^[^\\" .. separator .. "]+", at) or s_match(text, "^\\.?", at);
		if piece then
			t_insert(pieces, piece);
			at = at + #piece;
		else
			t_insert(parts, unescape(t_concat(pieces)));
			pieces = {};
			at = at + 1;
		end
	end
	t_insert(parts, unescape(t_concat(pieces)));
	return parts;
end

local function read_parameters(text)
	local parameters = {};
	for parameter in text:gmatch("[^;]+") do
		local name, values = s_match(parameter, "^([^=]+)=(.*)$");
		if not name then name, values = "TYPE", parameter; end
		name = s_upper(name);
		parameters[name] = parameters[name] or {};
		for value in s_gsub(values, '"', ""):gmatch("[^,]+") do
			t_insert(parameters[name], s_lower(value));
		end
	end
	return parameters;
end

local function read_line(line)
	local head, value = s_match(line, "^([^:]+):(.*)$");
	if not head then return nil; end
	local name, parameters = s_match(head, "^([%w.-]+);?(.*)$");
	if not name then return nil; end
	local property = read_parameters(parameters);
	property.name = s_upper(s_match(name, "([^.]+)$") or name); -- without the group
	local separator = PARTS[property.name] and ";" or LISTS[property.name] and "," or nil;
	for i, part in ipairs(separator and split(value, separator) or { unescape(value) }) do
		property[i] = part;
	end
	return property;
end

-- Return the cards in a text; nil and a reason for one that is too long.
local function from_text(text)
	if #text > MAX_SIZE then return nil, "too-long"; end
	local cards, card = {}, nil;
	text = s_gsub(s_gsub(text, "\r\n", "\n"), "\n[ \t]", "");
	for line in text:gmatch("[^\n]+") do
		local property = read_line(line);
		local name, value = property and property.name, property and property[1];
		if name == "BEGIN" and s_upper(value) == "VCARD" then
			card = {};
			t_insert(cards, card);
		elseif name == "END" then
			card = nil;
		elseif property and card then
			t_insert(card, property);
		end
	end
	return cards;
end

local function write_property(property)
	local names, out = {}, { property.name };
	for name in pairs(property) do
		if type(name) == "string" and name ~= "name" then t_insert(names, name); end
	end
	t_sort(names);
	for _, name in ipairs(names) do
		local values = property[name];
		if type(values) == "table" then values = t_concat(values, ","); end
		t_insert(out, ";" .. name .. "=" .. s_gsub(values, "[%c;:]", ""));
	end
	local values = {};
	for i, value in ipairs(property) do values[i] = escape(value); end
	return t_concat(out) .. ":" .. t_concat(values, LISTS[property.name] and "," or ";");
end

local function is_card(value)
	return value[1] ~= nil and value[1].name ~= nil;
end

local function to_text(cards)
	if is_card(cards) then cards = { cards }; end
	local lines = {};
	for _, card in ipairs(cards) do
		t_insert(lines, "BEGIN:VCARD");
		for _, property in ipairs(card) do t_insert(lines, write_property(property)); end
		t_insert(lines, "END:VCARD");
	end
	return t_concat(lines, "\n");
end

-- vcard-temp --------------------------------------------------------------------------------------

local function from_parts(tag, names, property)
	local count = 0;
	for _, name in ipairs(names) do
		for child in tag:childtags(name) do
			count = count + 1;
			property[count] = child:get_text() or "";
		end
		if not tag:get_child(name) and tag.name ~= "ORG" then
			count = count + 1;
			property[count] = "";
		end
	end
end

local function from_tag(tag)
	local property = { name = tag.name };
	local types = {};
	for child in tag:childtags() do
		if TYPES[child.name] and not child.tags[1] then t_insert(types, s_lower(child.name)); end
	end
	if BINARY[tag.name] then
		local data = tag:get_child_text("BINVAL");
		property[1] = data and s_gsub(data, "%s", "") or tag:get_child_text("EXTVAL")
			or tag:get_child_text("CRED") or "";
		if data then property.ENCODING = { "b" }; end
		t_insert(types, tag:get_child_text("TYPE"));
	elseif PARTS[tag.name] then
		from_parts(tag, PARTS[tag.name][1], property);
	elseif tag.name == "CATEGORIES" then
		for child in tag:childtags("KEYWORD") do t_insert(property, child:get_text() or ""); end
	else
		local inner = VALUE_TAGS[tag.name];
		property[1] = inner and tag:get_child_text(inner) or tag:get_text() or "";
	end
	if types[1] then property.TYPE = types; end
	return property;
end

-- Return the card in a <vCard/>, or those in an <xCard/>; nil and a reason for anything else.
local function from_xep54(stanza)
	if stanza.attr.xmlns ~= XMLNS_TEMP then return nil, "wrong-xmlns"; end
	local card = {};
	if stanza.name == "xCard" then
		for child in stanza:childtags("vCard") do
			child = st.clone(child);
			child.attr.xmlns = XMLNS_TEMP;
			t_insert(card, from_xep54(child));
		end
		return card;
	end
	for tag in stanza:childtags() do t_insert(card, from_tag(tag)); end
	return card;
end

local function to_tag(property)
	local name = property.name;
	local out = st.stanza(name);
	local types = property.TYPE or {};
	for _, kind in ipairs(type(types) == "table" and types or { types }) do
		if TYPES[s_upper(kind)] then out:tag(s_upper(kind)):up(); end
	end
	if BINARY[name] then
		if not property.ENCODING then return out:text_tag("EXTVAL", property[1]); end
		local media = type(types) == "table" and types[1] or types;
		if type(media) == "string" then out:text_tag("TYPE", media); end
		return out:text_tag("BINVAL", property[1]);
	elseif PARTS[name] then
		local names = PARTS[name][1];
		for i, value in ipairs(property) do
			if value ~= "" then out:text_tag(names[i] or names[#names], value); end
		end
		return out;
	elseif name == "CATEGORIES" then
		for _, value in ipairs(property) do out:text_tag("KEYWORD", value); end
		return out;
	elseif VALUE_TAGS[name] then
		return out:text_tag(VALUE_TAGS[name], property[1]);
	end
	return out:text(t_concat(property, ","));
end

local function to_xep54(cards)
	if cards[1] == nil or is_card(cards) then
		local out = st.stanza("vCard", { xmlns = XMLNS_TEMP });
		for _, property in ipairs(cards) do out:add_child(to_tag(property)); end
		return out;
	elseif not cards[2] then
		return to_xep54(cards[1]);
	end
	local out = st.stanza("xCard", { xmlns = XMLNS_TEMP });
	for _, card in ipairs(cards) do
		local inner = to_xep54(card);
		inner.attr.xmlns = nil;
		out:add_child(inner);
	end
	return out;
end

-- vCard4 ------------------------------------------------------------------------------------------

local function to_tag_4(property)
	local name = property.name;
	local out = st.stanza(s_lower(name));
	local parts = PARTS[name] and PARTS[name][2];
	if parts then
		for i, part in ipairs(parts) do out:text_tag(part, property[i] or ""); end
	elseif property.ENCODING then
		local kind = type(property.TYPE) == "table" and property.TYPE[1] or property.TYPE or "";
		out:text_tag("uri", "data:" .. kind .. ";base64," .. property[1]);
	elseif name == "GEO" then
		out:text_tag("uri", "geo:" .. t_concat(property, ","));
	else
		for _, value in ipairs(property) do out:text_tag(KINDS_4[name] or "text", value); end
	end
	return out;
end

local function to_vcard4(cards)
	if cards[1] == nil or is_card(cards) then
		local out = st.stanza("vcard", { xmlns = XMLNS_4 });
		for _, property in ipairs(cards) do
			if property.name ~= "VERSION" then out:add_child(to_tag_4(property)); end
		end
		return out;
	end
	local out = st.stanza("vcards", { xmlns = XMLNS_4 });
	for _, card in ipairs(cards) do
		local inner = to_vcard4(card);
		inner.attr.xmlns = nil;
		out:add_child(inner);
	end
	return out;
end

return {
	from_text = from_text; to_text = to_text; from_xep54 = from_xep54; to_xep54 = to_xep54;
	to_vcard4 = to_vcard4;
};
