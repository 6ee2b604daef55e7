-- Addresses: node@host/resource.

local stringprep = require "util.encodings".stringprep;
local nodeprep, nameprep, resourceprep =
	stringprep.nodeprep, stringprep.nameprep, stringprep.resourceprep;

local s_match, s_sub, s_find, s_gsub =
	string.match, string.sub, string.find, string.gsub;

-- XEP-0106. A backslash is escaped only where it would read as an escape.
local escapes = {
	[" "] = "\\20"; ['"'] = "\\22"; ["&"] = "\\26"; ["'"] = "\\27"; ["/"] = "\\2f";
	[":"] = "\\3a"; ["<"] = "\\3c"; [">"] = "\\3e"; ["@"] = "\\40"; ["\\"] = "\\5c";
};
local unescapes = {};
for char, code in pairs(escapes) do unescapes[code] = char; end
local backslash_codes = {};
for code in pairs(unescapes) do backslash_codes[code] = "\\5c" .. s_sub(code, 2); end

-- Return node, host and resource, nil for a missing part; all nil when it is no address.
local function split(jid)
	if jid == nil then return nil, nil, nil; end
	local node, at = s_match(jid, "^([^@/]+)@()");
	local host, slash = s_match(jid, "^([^@/]+)()", at);
	if node and not host then return nil, nil, nil; end
	local resource = s_match(jid, "^/(.+)$", slash);
	if not host or (not resource and #jid >= slash) then return nil, nil, nil; end
	return node, host, resource;
end

local function bare(jid)
	local node, host = split(jid);
	if node and host then return node .. "@" .. host; end
	return host;
end

-- Return the parts in their normal form; nothing when one of them is not valid.
local function prepped_split(jid, strict)
	local node, host, resource = split(jid);
	if not host or host == "." then return nil; end
	if s_sub(host, -1) == "." then host = s_sub(host, 1, -2); end
	if not s_find(host, "^[a-z0-9][a-z0-9.%-]*$") then
		host = nameprep(host, strict);
		if not host or host == "" then return nil; end
	elseif #host > 1023 then
		return nil;
	end
	if node then
		node = nodeprep(node, strict);
		if not node or node == "" then return nil; end
	end
	if resource then
		resource = resourceprep(resource, strict);
		if not resource or resource == "" then return nil; end
	end
	return node, host, resource;
end

-- Return nil where host is missing, or node and resource are there without it.
local function join(node, host, resource)
	if not host then return nil; end
	if node and resource then return node .. "@" .. host .. "/" .. resource; end
	if node then return node .. "@" .. host; end
	if resource then return host .. "/" .. resource; end
	return host;
end

local function prep(jid, strict)
	local node, host, resource = prepped_split(jid, strict);
	if not host then return nil; end
	return join(node, host, resource);
end

-- Whether `jid` is covered by `acl`: each part that `acl` has must be the same.
local function compare(jid, acl)
	local node, host, resource = split(jid);
	local acl_node, acl_host, acl_resource = split(acl);
	return (acl_node == nil or acl_node == node) and (acl_host == nil or acl_host == host)
		and (acl_resource == nil or acl_resource == resource);
end

local function node_of(jid)
	return (split(jid));
end

local function host_of(jid)
	return (select(2, split(jid)));
end

local function resource_of(jid)
	return (select(3, split(jid)));
end

local function escape(text)
	if not text then return nil; end
	return (s_gsub(s_gsub(text, "\\%x%x", backslash_codes), "[\"&'/:<>@ ]", escapes));
end

local function unescape(text)
	if not text then return nil; end
	return (s_gsub(text, "\\%x%x", unescapes));
end

return {
	split = split; bare = bare; prepped_split = prepped_split; join = join; prep = prep;
	compare = compare; node = node_of; host = host_of; resource = resource_of;
	escape = escape; unescape = unescape;
};
