-- Arguments of a command line: parse(list, config) returns a table of options and what is left.
-- config: short_params = { p = "port" }, value_params = { port = true }, array_params,
-- stop_on_positional (true when missing), strict (an unknown short option is an error).

local function parse(arguments, config)
	config = config or {};
	local short, values, lists = config.short_params or {}, config.value_params or {},
		config.array_params or {};
	local options, i, positional = {}, 1, {};
	while arguments[i] do
		local argument = arguments[i];
		i = i + 1;
		if argument == "--" then break; end
		local dashes, name = argument:match("^(%-%-?)(.+)$");
		if not name then
			positional[#positional + 1] = argument;
			if config.stop_on_positional ~= false then break; end
		else
			local key, value = name:match("^([^=]+)=(.*)$");
			key = key or name;
			if dashes == "-" then key = short[key] or key; end
			if dashes == "-" and not short[name:match("^[^=]+")] and config.strict then
				return nil, "param-not-found", argument;
			end
			key = key:gsub("%-", "_");
			if value == nil and (values[key] or lists[key]) then
				value = arguments[i];
				i = i + 1;
				if value == nil then return nil, "missing-value", argument; end
			elseif value == nil then
				value = not key:match("^no_");
				if not value then key = key:sub(4); end
			end
			if lists[key] then
				options[key] = options[key] or {};
				table.insert(options[key], value);
			else
				options[key] = value;
			end
		end
	end
	for _, argument in ipairs(positional) do options[#options + 1] = argument; end
	while arguments[i] do
		options[#options + 1] = arguments[i];
		i = i + 1;
	end
	return options;
end

return { parse = parse };
