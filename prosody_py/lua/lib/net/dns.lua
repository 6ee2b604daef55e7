-- Looking names up and waiting for it: lookup(name, type, class) returns an answer as net.adns
-- describes it, or nil and the reason.

local adns = require "net.adns";
local native = require "native.server";
local dns = require "util.dns";
local net = require "util.net";

local s_byte, s_gsub = string.byte, string.gsub;

-- The name under which an address is found (RFC 1035 section 3.5, RFC 3596 section 2.5).
local function reverse_name(ip)
	local packed = net.pton(ip);
	if not packed then return nil; end
	local parts = {};
	for i = #packed, 1, -1 do
		local byte = s_byte(packed, i);
		if #packed == 4 then
			parts[#parts + 1] = byte;
		else
			parts[#parts + 1] = s_gsub(("%02x"):format(byte), "(.)(.)", "%2.%1");
		end
	end
	return table.concat(parts, ".") .. (#packed == 4 and ".in-addr.arpa" or ".ip6.arpa");
end

-- Look up the name that an address has.
local function tohostname(ip)
	local name = reverse_name(ip);
	if not name then return nil, "not an IP address"; end
	return adns.lookup_now(name, "PTR");
end

local resolver = { lookup = function (_, ...) return adns.lookup_now(...); end };
function resolver:purge() native.dns_purge(); end
function resolver:tohostname(ip) return tohostname(ip); end
resolver.__index = resolver;

return {
	lookup = adns.lookup_now; tohostname = tohostname; purge = native.dns_purge;
	cancel = adns.cancel; types = dns.types; classes = dns.classes;
	resolver = function () return setmetatable({}, resolver); end;
};
