-- Certificates: PEM and DER, and whether one is valid for a name.
--
-- A certificate here is an object with the methods of LuaSec's: subject(), extensions(), pem().

local encodings = require "util.encodings";

local base64, idna_to_ascii, nameprep =
	encodings.base64, encodings.idna.to_ascii, encodings.stringprep.nameprep;
local s_find, s_gsub, s_lower, s_match, s_sub =
	string.find, string.gsub, string.lower, string.match, string.sub;
local ipairs, next = ipairs, next;

local OID_SUBJECT_ALT_NAME = "2.5.29.17";
local OID_XMPP_ADDR = "1.3.6.1.5.5.7.8.5";
local OID_DNS_SRV = "1.3.6.1.5.5.7.8.7";
local OID_COMMON_NAME = "2.5.4.3";

-- Return the names of one kind in the subjectAltName extension, as a list.
local function alternative_names(cert, kind)
	local extensions = cert:extensions();
	local san = extensions and extensions[OID_SUBJECT_ALT_NAME];
	return san and san[kind] or {};
end

local function common_names(cert)
	local names = {};
	for _, part in ipairs(cert:subject() or {}) do
		if part.oid == OID_COMMON_NAME or part.name == "commonName" then
			names[#names + 1] = s_lower(part.value);
		end
	end
	return names;
end

-- Whether a name with a possible "*." at its start fits (RFC 6125: only a whole first label).
local function fits(host, pattern)
	pattern = s_lower(pattern);
	if s_find(pattern, "%z") then return false; end
	if pattern == host then return true; end
	if s_sub(pattern, 1, 2) == "*." and s_find(pattern, ".", 3, true) then
		local rest = s_match(host, "^[^.]+(%..+)$");
		return rest == s_sub(pattern, 2);
	end
	return false;
end

-- Whether a certificate is valid for a host and a service such as "_xmpp-server" (nil for none).
local function verify_identity(host, service, cert)
	host = idna_to_ascii(host) or s_lower(host);
	local names = 0;
	if service then
		for _, name in ipairs(alternative_names(cert, OID_DNS_SRV)) do
			names = names + 1;
			local prefix, target = s_match(name, "^(_[^.]+)%.(.*)$");
			if prefix == service and fits(host, target) then return true; end
		end
		for _, name in ipairs(alternative_names(cert, OID_XMPP_ADDR)) do
			names = names + 1;
			local prepped = nameprep(name);
			if prepped and (idna_to_ascii(prepped) or prepped) == host then return true; end
		end
	end
	for _, name in ipairs(alternative_names(cert, "dNSName")) do
		names = names + 1;
		if fits(host, name) then return true; end
	end
	-- The common name counts only where there is no other name, and if there is just one.
	if names > 0 then return false; end
	local found = common_names(cert);
	return found[1] ~= nil and found[2] == nil and fits(host, found[1]);
end

-- Return { [host] = { [service or "*"] = true } } for all names of a certificate.
local function get_identities(cert)
	local identities = {};
	local function add(host, service)
		host = s_lower(host);
		identities[host] = identities[host] or {};
		identities[host][service] = true;
	end
	for _, name in ipairs(alternative_names(cert, OID_XMPP_ADDR)) do
		add(idna_to_ascii(name) or name, "xmpp-client");
		add(idna_to_ascii(name) or name, "xmpp-server");
	end
	for _, name in ipairs(alternative_names(cert, OID_DNS_SRV)) do
		local service, host = s_match(name, "^_([^.]+)%.(.*)$");
		if service then add(host, service); end
	end
	for _, name in ipairs(alternative_names(cert, "dNSName")) do add(name, "*"); end
	if next(identities) == nil then
		for _, name in ipairs(common_names(cert)) do add(name, "*"); end
	end
	return identities;
end

local PEM_BLOCK = "%-%-%-%-%-BEGIN ([A-Z ]+)%-%-%-%-%-%s*([A-Za-z0-9+/=%s]-)%s*%-%-%-%-%-END %1"
	.. "%-%-%-%-%-";

-- Return the bytes and the kind of the first block in a PEM text.
local function pem2der(pem)
	local kind, data = s_match(pem, PEM_BLOCK);
	if kind and data ~= "" then return base64.decode((s_gsub(data, "%s+", ""))), kind; end
	return nil;
end

local function der2pem(data, kind)
	kind = kind and kind:upper() or "CERTIFICATE";
	local lines = s_gsub(base64.encode(data), ("."):rep(64), "%0\n");
	return "-----BEGIN " .. kind .. "-----\n" .. s_gsub(lines, "\n$", "") .. "\n-----END " .. kind
		.. "-----\n";
end

return {
	verify_identity = verify_identity; get_identities = get_identities; pem2der = pem2der;
	der2pem = der2pem;
};
