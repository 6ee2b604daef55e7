-- Forms and headers of HTTP.

local s_format, s_char, s_byte, s_gsub, s_gmatch, s_match, s_find, s_lower =
	string.format, string.char, string.byte, string.gsub, string.gmatch, string.match, string.find,
	string.lower;
local t_concat = table.concat;
local tonumber, tostring, type, pairs, ipairs = tonumber, tostring, type, pairs, ipairs;

local function urlencode(text)
	if not text then return nil; end
	return (s_gsub(text, "[^A-Za-z0-9_.~-]", function (char)
		return s_format("%%%02x", s_byte(char));
	end));
end

local function urldecode(text)
	if not text then return nil; end
	return (s_gsub(text, "%%(%x%x)", function (code) return s_char(tonumber(code, 16)); end));
end

local function encode_form_part(text)
	return (s_gsub(urlencode(tostring(text)), "%%20", "+"));
end

-- form: a list of { name=, value= }, or a table of names and values.
local function formencode(form)
	local parts = {};
	if form[1] then
		for _, field in ipairs(form) do
			parts[#parts + 1] = encode_form_part(field.name) .. "=" .. encode_form_part(field.value);
		end
	else
		for name, value in pairs(form) do
			parts[#parts + 1] = encode_form_part(name) .. "=" .. encode_form_part(value);
		end
	end
	return t_concat(parts, "&");
end

-- Return a table with both the list of { name=, value= } and the values by name; a text without
-- "=" comes back as it is.
local function formdecode(text)
	if not s_find(text, "=", 1, true) then return urldecode(text); end
	local form = {};
	for name, value in s_gmatch(text, "([^=&]*)=([^&]*)") do
		name, value = urldecode((s_gsub(name, "%+", " "))), urldecode((s_gsub(value, "%+", " ")));
		form[#form + 1] = { name = name; value = value };
		form[name] = value;
	end
	return form;
end

-- Whether a comma separated header value has a token, in any case of letters.
local function contains_token(field, token)
	field = "," .. s_lower((s_gsub(field, "[ \t]", ""))) .. ",";
	return s_find(field, "," .. s_lower(token) .. ",", 1, true) ~= nil;
end

local function normalize_path(path, is_dir)
	if is_dir then
		if path:sub(-1) ~= "/" then path = path .. "/"; end
	elseif path:sub(-1) == "/" and #path > 1 then
		path = path:sub(1, -2);
	end
	if path:sub(1, 1) ~= "/" then path = "/" .. path; end
	return path;
end

-- Parse a Forwarded header (RFC 7239): a list of tables; nil when it is malformed.
local function parse_forwarded(forwarded)
	if type(forwarded) ~= "string" then return nil; end
	local list, current, at = {}, {}, 1;
	while at <= #forwarded do
		local key, after = s_match(forwarded, "^[ \t]*([%w!#$%%&'*+.^_`|~-]+)=()", at);
		if not key then return nil; end
		local value, stop = s_match(forwarded, '^"([^"]*)"()', after);
		if not value then value, stop = s_match(forwarded, '^([^",; \t]+)()', after); end
		if not value then return nil; end
		current[s_lower(key)] = value;
		local separator, next_at = s_match(forwarded, "^[ \t]*([,;]?)()", stop);
		if separator == "," then
			list[#list + 1], current = current, {};
		elseif separator == "" and next_at <= #forwarded then
			return nil;
		end
		at = next_at;
	end
	list[#list + 1] = current;
	return list;
end

return {
	urlencode = urlencode; urldecode = urldecode; formencode = formencode; formdecode = formdecode;
	contains_token = contains_token; normalize_path = normalize_path;
	parse_forwarded = parse_forwarded;
};
