-- Addresses in binary form: pton, ntop; local_addresses() of this machine.

local native = require "native.net";

local function local_addresses(kind)
	local list = {};
	for address in native.local_addresses():gmatch("%S+") do
		local is_v6 = address:find(":", 1, true) ~= nil;
		if not kind or kind == "both" or (kind == "ipv6") == is_v6 then list[#list + 1] = address; end
	end
	return list;
end

local checked = require "argument".on_strings({ pton = native.pton; ntop = native.ntop }, 1);

return { pton = checked.pton; ntop = checked.ntop; local_addresses = local_addresses };
