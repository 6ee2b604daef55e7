-- IP addresses as objects: addr (as it was given), normal, proto ("IPv4", "IPv6"), packed, bits,
-- scope, label, ...

local native = require "native.net";
local hex = require "util.hex";

local setmetatable, tonumber, type = setmetatable, tonumber, type;
local s_byte, s_match, s_rep, s_sub =
	string.byte, string.match, string.rep, string.sub;
local floor = math.floor;

local LOOPBACK_V6 = s_rep("\0", 15) .. "\1";

local ip_mt = { __name = "ip" };
local ip = {}; -- computed fields

local function to_bits(packed)
	local bits = {};
	for i = 1, #packed do
		local byte = s_byte(packed, i);
		for j = 8, 1, -1 do
			bits[(i - 1) * 8 + j] = byte % 2 == 1 and "1" or "0";
			byte = floor(byte / 2);
		end
	end
	return table.concat(bits);
end

function ip_mt.__index(self, key)
	local compute = ip[key];
	if not compute then return nil; end
	local value = compute(self);
	self[key] = value;
	return value;
end

function ip_mt.__tostring(self)
	return self.addr;
end

function ip_mt.__eq(a, b)
	return a.packed == b.packed;
end

-- Return an object; nil and a reason for text that is no address.
local function new_ip(text, proto)
	if type(text) ~= "string" then return nil, "invalid-ip"; end
	local address, zone = s_match(text, "^([^%%]*)%%?(.*)$");
	local packed, err = native.pton(address);
	if not packed then return nil, err; end
	local found = #packed == 4 and "IPv4" or "IPv6";
	if proto and proto:lower() ~= found:lower() then return nil, "invalid-" .. proto:lower(); end
	return setmetatable({
		addr = address; packed = packed; proto = found; zone = zone ~= "" and zone or nil;
	}, ip_mt);
end

local function bits_of(text)
	return to_bits((native.pton(text)));
end

local function prefix(text, length)
	return s_sub(bits_of(text), 1, length);
end

-- RFC 6724, section 2.1: the policy table; the longest prefixes come first.
local policies = {};
for _, row in ipairs {
	{ "::1", 128, 0, 50 }, { "::ffff:0.0.0.0", 96, 4, 35 }, { "::", 96, 3, 1 },
	{ "2001::", 32, 5, 5 }, { "2002::", 16, 2, 30 }, { "3ffe::", 16, 12, 1 },
	{ "fec0::", 10, 11, 1 }, { "fc00::", 7, 13, 3 },
} do
	policies[#policies + 1] = { bits = prefix(row[1], row[2]); label = row[3]; precedence = row[4] };
end

local function policy(self)
	local bits = self.proto == "IPv4" and self.toV4mapped.bits or self.bits;
	for i = 1, #policies do
		local row = policies[i];
		if s_sub(bits, 1, #row.bits) == row.bits then return row; end
	end
	return { label = 1; precedence = 40 };
end

function ip.bits(self)
	return to_bits(self.packed);
end

function ip.bits_full(self)
	return self.proto == "IPv4" and self.toV4mapped.bits or self.bits;
end

function ip.toV4mapped(self)
	if self.proto ~= "IPv4" then return nil; end
	return (new_ip("::ffff:" .. self.addr));
end

function ip.label(self)
	return policy(self).label;
end

function ip.precedence(self)
	return policy(self).precedence;
end

function ip.normal(self)
	return native.ntop(self.packed);
end

function ip.hex(self)
	return hex.encode(self.packed);
end

-- Multicast scopes of RFC 6724 section 3.1: 2 link-local (and loopback), 5 site-local, 14 global.
function ip.scope(self)
	local first, second = s_byte(self.packed, 1, 2);
	if self.proto == "IPv4" then
		return (first == 127 or (first == 169 and second == 254)) and 0x2 or 0xE;
	end
	if self.packed == LOOPBACK_V6 or (first == 0xFE and second >= 0x80 and second < 0xC0) then return 0x2; end
	if first == 0xFE and second >= 0xC0 then return 0x5; end
	if first == 0xFF then return second % 16; end
	return 0xE;
end

local private_v4 = {};
for _, row in ipairs {
	{ "127.0.0.0", 8 }, { "10.0.0.0", 8 }, { "172.16.0.0", 12 }, { "192.168.0.0", 16 },
	{ "169.254.0.0", 16 }, { "100.64.0.0", 10 },
} do
	private_v4[#private_v4 + 1] = prefix(row[1], row[2]);
end

function ip.private(self)
	if self.proto == "IPv6" then
		if s_sub(self.bits, 1, 7) == "1111110" then return true; end
		return self.scope ~= 0xE;
	end
	for i = 1, #private_v4 do
		if s_sub(self.bits, 1, #private_v4[i]) == private_v4[i] then return true; end
	end
	return false;
end

local function common_prefix_length(a, b)
	local x, y = a.bits_full, b.bits_full;
	local length = a.proto == "IPv4" and b.proto == "IPv4" and 96 or 0;
	for i = length + 1, 128 do
		if s_byte(x, i) ~= s_byte(y, i) then return i - 1; end
	end
	return 128;
end

-- Return the address and the length of "address/length" (nil when it has none).
local function parse_cidr(text)
	local address, length = s_match(text, "^([^/]+)/?(%d*)$");
	if not address then return nil, nil; end
	return (new_ip(address)), tonumber(length);
end

-- Whether the first `length` bits (all when missing) of two addresses are the same.
local function match(a, b, length)
	if a.proto ~= b.proto then
		if a.proto == "IPv4" then
			a = a.toV4mapped;
		else
			b = b.toV4mapped;
			length = length and length + 96;
		end
	end
	if not length then return a.packed == b.packed; end
	return s_sub(a.bits, 1, length) == s_sub(b.bits, 1, length);
end

-- Return the address with all bits after the first `length` set to zero.
local function truncate(address, length)
	if length % 8 ~= 0 then return nil, "the length must be a multiple of 8"; end
	local kept = s_sub(address.packed, 1, length / 8);
	return (new_ip(native.ntop(kept .. s_rep("\0", #address.packed - #kept))));
end

function ip_mt.__lt(a, b)
	return a.packed < b.packed;
end

return {
	new_ip = new_ip; commonPrefixLength = common_prefix_length; parse_cidr = parse_cidr;
	match = match; truncate = truncate;
	is_ip = function (value) return getmetatable(value) == ip_mt; end;
};
