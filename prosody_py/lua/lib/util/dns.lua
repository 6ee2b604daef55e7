-- Records of the DNS: names of types, classes and response codes, and parsers for the data of
-- records. parsers[type](data) gives a text or a table; other types come as "\# 2 0102" (RFC 3597).

local hex = require "util.hex".to;
local ntop = require "util.net".ntop;

local s_byte, s_sub, s_format, t_concat = string.byte, string.sub, string.format, table.concat;
local setmetatable, pairs, tostring = setmetatable, pairs, tostring;

local function both_ways(by_number)
	local found = {};
	for number, name in pairs(by_number) do found[number], found[name] = name, number; end
	return found;
end

local types = both_ways {
	[1] = "A"; [2] = "NS"; [5] = "CNAME"; [6] = "SOA"; [12] = "PTR"; [13] = "HINFO"; [15] = "MX";
	[16] = "TXT"; [17] = "RP"; [18] = "AFSDB"; [24] = "SIG"; [25] = "KEY"; [28] = "AAAA";
	[29] = "LOC"; [33] = "SRV"; [35] = "NAPTR"; [36] = "KX"; [37] = "CERT"; [39] = "DNAME";
	[41] = "OPT"; [42] = "APL"; [43] = "DS"; [44] = "SSHFP"; [45] = "IPSECKEY"; [46] = "RRSIG";
	[47] = "NSEC"; [48] = "DNSKEY"; [49] = "DHCID"; [50] = "NSEC3"; [51] = "NSEC3PARAM";
	[52] = "TLSA"; [53] = "SMIMEA"; [55] = "HIP"; [59] = "CDS"; [60] = "CDNSKEY";
	[61] = "OPENPGPKEY"; [62] = "CSYNC"; [63] = "ZONEMD"; [64] = "SVCB"; [65] = "HTTPS";
	[99] = "SPF"; [108] = "EUI48"; [109] = "EUI64"; [249] = "TKEY"; [250] = "TSIG";
	[251] = "IXFR"; [252] = "AXFR"; [255] = "*"; [256] = "URI"; [257] = "CAA";
};

local classes = both_ways { [1] = "IN"; [3] = "CH"; [4] = "HS"; [255] = "ANY" };

-- names by number, texts by name
local errors = {};
for number, entry in pairs {
	[0] = "NoError No Error"; [1] = "FormErr Format Error"; [2] = "ServFail Server Failure";
	[3] = "NXDomain Non-Existent Domain"; [4] = "NotImp Not Implemented";
	[5] = "Refused Query Refused"; [6] = "YXDomain Name Exists when it should not";
	[7] = "YXRRSet RR Set Exists when it should not";
	[8] = "NXRRSet RR Set that should exist does not";
	[9] = "NotAuth Server Not Authoritative for zone"; [10] = "NotZone Name not contained in zone";
	[16] = "BADVERS Bad OPT Version";
} do
	local name, text = entry:match("^(%S+) (.+)$");
	errors[number], errors[name] = name, text;
end

local function u16(data, at)
	local high, low = s_byte(data, at, at + 1);
	return low and high * 256 + low or nil;
end

local function u32(data, at)
	local a, b, c, d = s_byte(data, at, at + 3);
	return d and ((a * 256 + b) * 256 + c) * 256 + d or nil;
end

-- Names without compression, without the last dot; "." for the root. Also where it ends.
local function read_name(data, at)
	local labels = {};
	while true do
		local length = s_byte(data, at);
		if not length or length > 63 then return nil, at; end
		if length == 0 then break; end
		labels[#labels + 1] = s_sub(data, at + 1, at + length);
		at = at + 1 + length;
	end
	return labels[1] and t_concat(labels, ".") or ".", at + 1;
end

local function with_dot(name) return name == "." and name or name .. "."; end

local function printed(show) return { __tostring = show; __index = {} }; end

local parsers = {};

local function address(data) return (ntop(data)); end
parsers.A, parsers.AAAA = address, address;

local function single_name(data) return (read_name(data, 1)); end
parsers.CNAME, parsers.NS, parsers.PTR, parsers.DNAME =
	single_name, single_name, single_name, single_name;

local mx = printed(function (rr) return s_format("%d %s", rr.pref, rr.mx); end);
function parsers.MX(data)
	local pref, name = u16(data, 1), read_name(data, 3);
	return pref and name and setmetatable({ pref = pref; mx = name }, mx) or nil;
end

local srv = printed(function (rr)
	return s_format("%d %d %d %s", rr.priority, rr.weight, rr.port, rr.target);
end);
function parsers.SRV(data)
	local port, target = u16(data, 5), read_name(data, 7);
	if not port or not target then return nil; end
	return setmetatable({
		priority = u16(data, 1); weight = u16(data, 3); port = port; target = target;
	}, srv);
end

local txt = printed(function (rr) return t_concat(rr); end);
function parsers.TXT(data)
	local texts, at = {}, 1;
	while at <= #data do
		local length = s_byte(data, at);
		texts[#texts + 1] = s_sub(data, at + 1, at + length);
		at = at + 1 + length;
	end
	return setmetatable(texts, txt);
end
parsers.SPF = parsers.TXT;

local soa = printed(function (rr)
	return s_format("%s %s %d %d %d %d %d", rr.mname, rr.rname, rr.serial, rr.refresh, rr.retry,
		rr.expire, rr.minimum);
end);
function parsers.SOA(data)
	local mname, at = read_name(data, 1);
	local rname, from = read_name(data, at);
	local minimum = u32(data, from + 16);
	if not mname or not rname or not minimum then return nil; end
	return setmetatable({
		mname = with_dot(mname); rname = with_dot(rname); serial = u32(data, from);
		refresh = u32(data, from + 4); retry = u32(data, from + 8); expire = u32(data, from + 12);
		minimum = minimum;
	}, soa);
end

-- The short names of RFC 7218.
local USAGES = { [0] = "PKIX-CA"; "PKIX-EE"; "DANE-TA"; "DANE-EE"; [255] = "PrivCert" };
local SELECTORS = { [0] = "Cert"; "SPKI"; [255] = "PrivSel" };
local MATCHES = { [0] = "Full"; "SHA2-256"; "SHA2-512"; [255] = "PrivMatch" };

local tlsa = printed(function (rr)
	return s_format("%s %s %s %s", tostring(USAGES[rr.use] or rr.use),
		tostring(SELECTORS[rr.select] or rr.select), tostring(MATCHES[rr.match] or rr.match),
		hex(rr.data));
end);
function tlsa.__index.getUsage(rr) return USAGES[rr.use]; end
function tlsa.__index.getSelector(rr) return SELECTORS[rr.select]; end
function tlsa.__index.getMatchType(rr) return MATCHES[rr.match]; end
function parsers.TLSA(data)
	local use, select, match = s_byte(data, 1, 3);
	if not match then return nil; end
	return setmetatable({ use = use; select = select; match = match; data = s_sub(data, 4) }, tlsa);
end
parsers.SMIMEA = parsers.TLSA;

local raw = printed(function (rr) return s_format("\\# %d %s", #rr.raw, hex(rr.raw)); end);
setmetatable(parsers, {
	__index = function ()
		return function (data) return setmetatable({ raw = data }, raw); end;
	end;
});

return { parsers = parsers; classes = classes; types = types; errors = errors };
