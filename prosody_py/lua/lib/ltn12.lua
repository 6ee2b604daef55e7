-- Sources, sinks, filters and pumps of data in pieces.

local select, type = select, type;

local source, sink, filter, pump = {}, {}, {}, {};
local BLOCKSIZE = 2048;

function source.empty()
	return function () return nil; end;
end

function source.error(err)
	return function () return nil, err; end;
end

function source.string(text)
	if not text then return source.empty(); end
	local at = 1;
	return function ()
		local chunk = text:sub(at, at + BLOCKSIZE - 1);
		at = at + BLOCKSIZE;
		if chunk ~= "" then return chunk; end
		return nil;
	end;
end

function source.table(list)
	local i = 0;
	return function ()
		i = i + 1;
		return list[i];
	end;
end

function source.file(handle, err)
	if not handle then return source.error(err or "unable to open file"); end
	return function ()
		local chunk = handle:read(BLOCKSIZE);
		if not chunk then handle:close(); end
		return chunk;
	end;
end

function source.simplify(src)
	return function ()
		local chunk, err_or_new = src();
		src = type(err_or_new) == "function" and err_or_new or src;
		if not chunk then return nil, err_or_new; end
		return chunk;
	end;
end

function source.cat(...)
	local sources, i = { ... }, 1;
	return function ()
		while sources[i] do
			local chunk, err = sources[i]();
			if chunk then return chunk; end
			if err then return nil, err; end
			i = i + 1;
		end
		return nil;
	end;
end

function source.chain(src, f)
	local state = "feed";
	return function ()
		while state ~= "end" do
			local chunk, err = src();
			if err then return nil, err; end
			local out = f(chunk);
			if chunk == nil then state = "end"; end
			if out and out ~= "" then return out; end
		end
		return nil;
	end;
end

function sink.table(t)
	t = t or {};
	return function (chunk)
		if chunk then t[#t + 1] = chunk; end
		return 1;
	end, t;
end

function sink.null()
	return function () return 1; end;
end

function sink.error(err)
	return function () return nil, err; end;
end

function sink.file(handle, err)
	if not handle then return sink.error(err or "unable to open file"); end
	return function (chunk)
		if chunk then return handle:write(chunk); end
		handle:close();
		return 1;
	end;
end

function sink.simplify(snk)
	return snk;
end

function sink.chain(f, snk)
	return function (chunk, err)
		if chunk == "" then return 1; end
		local out = f(chunk);
		if out and out ~= "" then
			local ok, problem = snk(out, err);
			if not ok then return nil, problem; end
		end
		if chunk == nil then return snk(nil, err); end
		return 1;
	end;
end

function filter.chain(...)
	local filters, count = { ... }, select("#", ...);
	return function (chunk)
		for i = 1, count do
			local out = filters[i](chunk);
			if chunk == nil and out and i < count then
				-- What is left in one filter goes through the others before their end.
				for j = i + 1, count do out = filters[j](out); end
				return out;
			end
			chunk = out;
		end
		return chunk;
	end;
end

function filter.cycle(low, context, extra)
	return function (chunk)
		local out;
		out, context = low(context, chunk, extra);
		return out;
	end;
end

function pump.step(src, snk)
	local chunk, source_error = src();
	local ok, sink_error = snk(chunk, source_error);
	if chunk and ok then return 1; end
	return nil, source_error or sink_error;
end

function pump.all(src, snk, step)
	step = step or pump.step;
	while true do
		local ok, err = step(src, snk);
		if not ok then
			if err then return nil, err; end
			return 1;
		end
	end
end

return {
	source = source; sink = sink; filter = filter; pump = pump; BLOCKSIZE = BLOCKSIZE;
	_VERSION = "LTN12 1.0.3";
};
