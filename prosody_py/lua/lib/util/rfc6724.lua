-- Which address to talk from and to (RFC 6724): source(destination, candidates) returns the best
-- own address, destination(candidates, own addresses) the destinations, best first. Addresses are
-- objects of util.ip. What a system knows beyond them (deprecated, home) is not known here.

local common_prefix_length = require "util.ip".commonPrefixLength;

local ipairs, math_min = ipairs, math.min;
local t_sort = table.sort;

local LINK_LOCAL_PREFIX = 64; -- bits of an address that say where it is, section 2.2

local function prefix_length(a, b)
	return math_min(common_prefix_length(a, b), a.proto == "IPv6" and LINK_LOCAL_PREFIX or 128);
end

-- Section 5. Return whether `a` is the better source for `destination`.
local function better_source(destination, a, b)
	if a == destination then return true; elseif b == destination then return false; end
	if a.scope ~= b.scope then
		if a.scope < b.scope then return a.scope >= destination.scope; end
		return b.scope < destination.scope;
	end
	local a_same, b_same = a.label == destination.label, b.label == destination.label;
	if a_same ~= b_same then return a_same; end
	return common_prefix_length(a, destination) > common_prefix_length(b, destination);
end

local function source(destination, candidates)
	local best;
	for _, candidate in ipairs(candidates) do
		if not best or better_source(destination, candidate, best) then best = candidate; end
	end
	return best;
end

local function source_for(destination, sources)
	local usable = {};
	for _, candidate in ipairs(sources) do
		if candidate.proto == destination.proto then usable[#usable + 1] = candidate; end
	end
	return source(destination, usable);
end

-- Section 6. Return true, false, or nil where the rules see no difference.
local function better_destination(a, b)
	local a_source, b_source = a.source, b.source;
	if not a_source ~= not b_source then return a_source ~= nil; end
	if not a_source then return nil; end
	local x, y = a.address, b.address;
	local a_fits, b_fits = x.scope == a_source.scope, y.scope == b_source.scope;
	if a_fits ~= b_fits then return a_fits; end
	a_fits, b_fits = x.label == a_source.label, y.label == b_source.label;
	if a_fits ~= b_fits then return a_fits; end
	if x.precedence ~= y.precedence then return x.precedence > y.precedence; end
	if x.scope ~= y.scope then return x.scope < y.scope; end
	if x.proto == y.proto then
		local a_length, b_length = prefix_length(x, a_source), prefix_length(y, b_source);
		if a_length ~= b_length then return a_length > b_length; end
	end
	return nil;
end

local function destination(candidates, sources)
	local choices = {};
	for i, address in ipairs(candidates) do
		choices[i] = { address = address; source = source_for(address, sources); at = i };
	end
	t_sort(choices, function (a, b)
		local better = better_destination(a, b);
		if better == nil then return a.at < b.at; end
		return better;
	end);
	for i, choice in ipairs(choices) do choices[i] = choice.address; end
	return choices;
end

return { source = source; destination = destination };
