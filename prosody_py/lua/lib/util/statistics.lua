-- Statistics of one measurement: functions that collect, and one that gives what there is.

local now = require "util.time".now;

local function new()
	local stats, changed = {}, {};

	local function note(name, value, extra)
		stats[name] = value;
		changed[name] = extra or value;
	end

	local makers = {};

	function makers.amount(name, initial)
		note(name .. ":amount", initial or 0);
		return function (value) note(name .. ":amount", value); end;
	end

	function makers.counter(name, initial)
		local count = initial or 0;
		note(name .. ":counter", count);
		return function (delta)
			count = count + (delta or 1);
			note(name .. ":counter", count);
		end;
	end

	function makers.rate(name)
		local since, count = now(), 0;
		return function ()
			count = count + 1;
			local elapsed = now() - since;
			if elapsed > 0 then note(name .. ":rate", count / elapsed); end
		end;
	end

	function makers.distribution(name)
		local count, sum = 0, 0;
		return function (value)
			count, sum = count + 1, sum + value;
			note(name .. ":distribution", sum / count);
		end;
	end

	function makers.sizes(name)
		return makers.distribution(name);
	end

	function makers.times(name)
		local add = makers.distribution(name);
		return function ()
			local start = now();
			return function () add(now() - start); end;
		end;
	end

	function makers.get_stats()
		local last = changed;
		changed = {};
		return stats, last;
	end

	return makers;
end

return { new = new };
