-- os.execute and io.popen: the program runs in a thread, and only who has asked waits for it.

local run = ...;
local error, type, select, setmetatable, tmpfile = error, type, select, setmetatable, io.tmpfile;
local t_concat = table.concat;
local gives_number = type(os.execute()) == "number";

function os.execute(command)
	if command == nil then return gives_number and 1 or true; end
	if type(command) ~= "string" then
		error("bad argument #1 to 'execute' (string expected, got " .. type(command) .. ")", 2);
	end
	local _, kind, code = run(command);
	if gives_number then return kind == "exit" and code * 256 or code; end
	return code == 0 and kind == "exit" or nil, kind, code;
end

local pipe = {};
local pipe_mt = { __index = pipe, __name = "FILE*", __tostring = function () return "file (pipe)"; end };

function pipe:read(...)
	if not self.output then error("this pipe is for writing", 2); end
	return self.output:read(...);
end

function pipe:lines(...)
	if not self.output then error("this pipe is for writing", 2); end
	return self.output:lines(...);
end

function pipe:write(...)
	if not self.input then error("this pipe is for reading", 2); end
	for i = 1, select("#", ...) do self.input[#self.input + 1] = (select(i, ...)); end
	return self;
end

function pipe:flush() return self; end
function pipe:setvbuf() return true; end

-- What was written is given to the program now, in one piece.
function pipe:close()
	if self.input then
		local _;
		_, self.kind, self.code = run(self.command, t_concat(self.input));
		self.input = nil;
	elseif self.output then
		self.output:close();
		self.output = nil;
	end
	return self.code == 0 and self.kind == "exit" or nil, self.kind, self.code;
end

function io.popen(command, mode)
	if type(command) ~= "string" then
		error("bad argument #1 to 'popen' (string expected, got " .. type(command) .. ")", 2);
	elseif mode ~= nil and mode ~= "r" and mode ~= "w" then
		error("bad argument #2 to 'popen' (invalid mode)", 2);
	end
	local self = setmetatable({ command = command }, pipe_mt);
	if mode == "w" then
		self.input = {};
		return self;
	end
	local text;
	text, self.kind, self.code = run(command, nil, true);
	self.output = tmpfile();
	self.output:write(text);
	self.output:seek("set", 0);
	return self;
end
