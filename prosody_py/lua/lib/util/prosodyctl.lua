-- What the command of a module (`function module.command(arguments) ... end`) tells people.

local print, select = print, select;

local function show_message(text, ...)
	print(select("#", ...) > 0 and text:format(...) or text);
end

local function show_usage(usage, description)
	print("Usage: prosodyctl " .. usage);
	if description then print(" " .. description); end
end

return {
	show_message = show_message; show_warning = show_message; show_usage = show_usage;
	isrunning = function () return true, prosody.process_type == "prosody"; end;
};
