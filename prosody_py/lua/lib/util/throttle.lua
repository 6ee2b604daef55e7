-- Token buckets: `max` tokens at most, filled up over `period` seconds.

local now = require "util.time".monotonic;
local setmetatable, min = setmetatable, math.min;

local throttle = {};
local throttle_mt = { __index = throttle };

function throttle:update()
	local t = now();
	self.balance = min(self.max, self.balance + self.rate * (t - self.t));
	self.t = t;
	return self.balance;
end

function throttle:peek(cost)
	cost = cost or 1;
	return self.balance >= cost or self:update() >= cost;
end

-- Take tokens. Return true; or false, the balance and what is missing. With `split` what is there
-- is taken even if it is not enough.
function throttle:poll(cost, split)
	cost = cost or 1;
	if self:peek(cost) then
		self.balance = self.balance - cost;
		return true;
	end
	local balance = self.balance;
	if split then self.balance = 0; end
	return false, balance, cost - balance;
end

local function create(max, period)
	return setmetatable({ rate = max / period; max = max; t = now(); balance = max }, throttle_mt);
end

return { create = create };
