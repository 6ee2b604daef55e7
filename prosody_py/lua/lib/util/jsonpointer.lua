-- JSON pointers (RFC 6901).

local function resolve(value, path)
	if path == "" then return value; end
	if path:sub(1, 1) ~= "/" then return nil, "not a pointer"; end
	for token in path:gmatch("/([^/]*)") do
		token = token:gsub("~1", "/"):gsub("~0", "~"); -- in this order, so that ~01 is ~1
		if type(value) ~= "table" then return nil; end
		if value[1] ~= nil and tonumber(token) then
			value = value[tonumber(token) + 1];
		else
			value = value[token];
		end
		if value == nil then return nil; end
	end
	return value;
end

return { resolve = resolve };
