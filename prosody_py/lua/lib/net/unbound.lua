-- The resolver under the names that it has on libunbound: the same one as net.adns.

local adns = require "net.adns";
local dns = require "net.dns";

return {
	lookup = adns.lookup; cancel = adns.cancel; resolver = adns.resolver; dns = dns;
};
