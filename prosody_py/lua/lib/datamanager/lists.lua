-- Lists of data that are opened and cut, made of two functions: one loads a list, one replaces it.

local type = type;

return function (load, replace)
	local lists = {};

	-- The list, nil when there is none, nil and why when it cannot be read.
	function lists.open(username, host, store)
		return load(username, host, store);
	end

	-- Drop what is before the item number `first`.
	function lists.shift(username, host, store, first)
		if type(first) ~= "number" or first < 1 or first % 1 ~= 0 then
			return nil, "invalid-argument";
		end
		if first == 1 then return true; end
		local list, err = load(username, host, store);
		if not list then return nil, err; end
		local kept = {};
		for i = first, #list do kept[#kept + 1] = list[i]; end
		return replace(username, host, store, kept);
	end

	return lists;
end
