-- Compile Lua text (never bytecode) in an environment of its own.

local load, open = load, io.open;

local function envload(code, source, env)
	if type(code) ~= "string" then return nil, "code must be a string"; end
	return load(code, source, "t", env);
end

local function envloadfile(file, env)
	local handle, err, number = open(file, "rb");
	if not handle then return nil, err, number; end
	local code = handle:read("*a");
	handle:close();
	return envload((code:gsub("^#[^\n]*", "")), "@" .. file, env);
end

return { envload = envload; envloadfile = envloadfile };
