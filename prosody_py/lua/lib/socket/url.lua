-- URLs (RFC 3986) as tables: scheme, authority, userinfo, user, password, host, port, path,
-- params, query, fragment.

local s_byte, s_char, s_format, s_gsub, s_match, s_sub =
	string.byte, string.char, string.format, string.gsub, string.match, string.sub;
local tonumber, type, pairs, ipairs = tonumber, type, pairs, ipairs;
local t_concat, t_remove = table.concat, table.remove;

local function escape(text)
	return (s_gsub(text, "([^A-Za-z0-9_])", function (char)
		return s_format("%%%02x", s_byte(char));
	end));
end

local function unescape(text)
	return (s_gsub(text, "%%(%x%x)", function (code) return s_char(tonumber(code, 16)); end));
end

-- In a segment of a path these stand for themselves.
local function escape_segment(text)
	return (s_gsub(text, "[^A-Za-z0-9_.~!*'():@&=+$,-]", function (char)
		return s_format("%%%02x", s_byte(char));
	end));
end

local function parse_authority(parsed, authority)
	parsed.authority = authority;
	local rest = authority;
	local userinfo, after = s_match(rest, "^([^@]*)@(.*)$");
	if userinfo then
		rest = after;
		parsed.userinfo = userinfo;
		local user, password = s_match(userinfo, "^([^:]*):(.*)$");
		parsed.user, parsed.password = user or userinfo, password;
	end
	local without_port, port = s_match(rest, "^(.*):([^:%]]*)$");
	if port then
		rest = without_port;
		parsed.port = port ~= "" and port or nil;
	end
	if rest ~= "" then parsed.host = s_match(rest, "^%[(.+)%]$") or rest; end
end

-- Take what a pattern finds off the text.
local function cut(text, pattern)
	local found, rest = s_match(text, pattern);
	if found then return found, rest; end
	return nil, text;
end

-- Return the parts; fields of `default` are there where the URL has none.
local function parse(url, default)
	local parsed = {};
	for key, value in pairs(default or parsed) do parsed[key] = value; end
	if not url or url == "" then return nil, "invalid url"; end
	local rest, before, found = url, nil, nil;
	before, found = s_match(rest, "^([^#]*)#(.*)$");
	if before then rest, parsed.fragment = before, found; end
	found, rest = cut(rest, "^([%w][%w+%-.]*):(.*)$");
	parsed.scheme = found or parsed.scheme;
	found, rest = cut(rest, "^//([^/?]*)(.*)$");
	local authority = found;
	before, found = s_match(rest, "^([^?]*)%?(.*)$");
	if before then rest, parsed.query = before, found; end
	before, found = s_match(rest, "^([^;]*);(.*)$");
	if before then rest, parsed.params = before, found; end
	if rest ~= "" then parsed.path = rest; end
	if authority then parse_authority(parsed, authority); end
	return parsed;
end

local function build_authority(parsed)
	if not parsed.host then return parsed.authority; end
	local authority = parsed.host;
	if authority:find(":", 1, true) then authority = "[" .. authority .. "]"; end
	if parsed.port then authority = authority .. ":" .. parsed.port; end
	local userinfo = parsed.userinfo;
	if parsed.user then
		userinfo = parsed.user .. (parsed.password and ":" .. parsed.password or "");
	end
	return userinfo and userinfo .. "@" .. authority or authority;
end

-- Split a path into unescaped segments, with the fields is_absolute and is_directory.
local function parse_path(path)
	local segments = {};
	path = path or "";
	for segment in path:gmatch("[^/]+") do segments[#segments + 1] = unescape(segment); end
	if s_sub(path, 1, 1) == "/" then segments.is_absolute = 1; end
	if s_sub(path, -1) == "/" then segments.is_directory = 1; end
	return segments;
end

local function build_path(segments, unsafe)
	local parts = {};
	for i, segment in ipairs(segments) do
		parts[i] = unsafe and segment or escape_segment(segment);
	end
	local path = t_concat(parts, "/");
	if segments.is_directory and path ~= "" then path = path .. "/"; end
	if segments.is_absolute then path = "/" .. path; end
	return path;
end

local function build(parsed)
	local url = parsed.path or "";
	if parsed.params then url = url .. ";" .. parsed.params; end
	if parsed.query then url = url .. "?" .. parsed.query; end
	local authority = build_authority(parsed);
	if authority then
		if url ~= "" and s_sub(url, 1, 1) ~= "/" then url = "/" .. url; end
		url = "//" .. authority .. url;
	end
	if parsed.scheme then url = parsed.scheme .. ":" .. url; end
	if parsed.fragment then url = url .. "#" .. parsed.fragment; end
	return url;
end

-- RFC 3986, section 5.2.4.
local function remove_dots(path)
	local out = {};
	for segment in (path .. "/"):gmatch("([^/]*)/") do
		if segment == ".." then
			if #out > 1 then t_remove(out); end
		elseif segment ~= "." then
			out[#out + 1] = segment;
		end
	end
	if path:match("/%.%.?$") then out[#out + 1] = ""; end
	return t_concat(out, "/");
end

local function merge_path(base, path)
	if s_sub(path, 1, 1) == "/" then return remove_dots(path); end
	return remove_dots((s_gsub(base or "/", "[^/]*$", "")) .. path);
end

-- Return the absolute form of a URL that is relative to a base (text or table).
local function absolute(base, relative)
	local base_parsed = type(base) == "table" and base or parse(base);
	local parsed = parse(relative);
	if not base_parsed then return relative; end
	if not parsed then return type(base) == "table" and build(base) or base; end
	if parsed.scheme then return relative; end
	parsed.scheme = base_parsed.scheme;
	if not parsed.authority then
		for _, key in ipairs { "authority", "userinfo", "user", "password", "host", "port" } do
			parsed[key] = base_parsed[key];
		end
		if parsed.path then
			parsed.path = merge_path(base_parsed.path, parsed.path);
		else
			parsed.path = base_parsed.path;
			parsed.params = parsed.params or base_parsed.params;
			parsed.query = parsed.query or base_parsed.query;
		end
	end
	return build(parsed);
end

return {
	parse = parse; build = build; parse_path = parse_path; build_path = build_path;
	absolute = absolute; escape = escape; unescape = unescape; _VERSION = "URL 1.0.3";
};
