-- Arguments of a command line: parse(list, config) takes them out of the list up to the first that
-- is no option and returns a table of options, in which what is left has numbers.
--
-- config: short_params = { p = "port" }, value_params = { port = true }, array_params; with
-- stop_on_positional = false options may stand behind other arguments. A "-" in a name becomes "_",
-- "--no-x" sets x to false. Errors: nil, "missing-value" or "param-not-found", the argument.

local ipairs = ipairs;
local t_insert, t_remove = table.insert, table.remove;

-- Return the name and the value of "name=value"; a single dash has its name from the config.
local function read_option(dashes, text, short)
	local name, value = text:match("^([^=]+)=(.*)$");
	name = name or text;
	if dashes == "-" then
		if not short[name] then return nil; end
		name = short[name];
	end
	return (name:gsub("%-", "_")), value;
end

local function set_option(options, lists, name, value)
	if not lists[name] then
		options[name] = value;
		return;
	end
	options[name] = options[name] or {};
	t_insert(options[name], value);
end

local function parse(arguments, config)
	config = config or {};
	local short, values, lists = config.short_params or {}, config.value_params or {},
		config.array_params or {};
	local options, positional = {}, {};
	while arguments[1] do
		local argument = arguments[1];
		local dashes, text = argument:match("^(%-%-?)(.+)$");
		if argument == "--" then
			t_remove(arguments, 1);
			break;
		elseif not text then
			if config.stop_on_positional ~= false then break; end
			positional[#positional + 1] = t_remove(arguments, 1);
		else
			t_remove(arguments, 1);
			local name, value = read_option(dashes, text, short);
			if not name then return nil, "param-not-found", argument; end
			if value == nil and (values[name] or lists[name]) then
				value = t_remove(arguments, 1);
				if value == nil then return nil, "missing-value", argument; end
			elseif value == nil then
				value = not name:find("^no_.");
				if not value then name = name:sub(4); end
			end
			set_option(options, lists, name, value);
		end
	end
	for _, argument in ipairs(positional) do t_insert(options, argument); end
	for _, argument in ipairs(arguments) do t_insert(options, argument); end
	for i, argument in ipairs(options) do arguments[i] = argument; end
	return options;
end

return { parse = parse };
