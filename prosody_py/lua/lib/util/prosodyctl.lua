-- What the command of a module (`function module.command(arguments) ... end`) tells and asks people.

local human = require "util.human.io";
local pposix = require "util.pposix";

local io, print, select = io, print, select;

local function format(text, ...)
	return select("#", ...) > 0 and text:format(...) or text;
end

local function show_message(text, ...)
	print(format(text, ...));
end

local function show_warning(text, ...)
	io.stderr:write(format(text, ...), "\n");
end

local function show_usage(usage, description)
	print("Usage: prosodyctl " .. usage);
	if description then print(" " .. description); end
end

-- Is this the server itself? A command is not.
local function is_running()
	return true, prosody.process_type == "prosody";
end

return {
	show_message = show_message; show_warning = show_warning; show_usage = show_usage;
	isrunning = is_running;
	getpid = function () return true, pposix.getpid(); end;
	getchar = human.getchar; getline = human.getline; getpass = human.getpass;
	show_yesno = human.show_yesno; read_password = human.read_password;
	show_prompt = human.show_prompt;
};
