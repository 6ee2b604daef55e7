-- softreq(name): a library, or nil and the reason why it is not there.

local function softreq(...)
	local ok, library = pcall(require, ...);
	if ok then return library; end
	return nil, library;
end

return {
	softreq = softreq;
	missingdep = function () end;
	check_dependencies = function () return true; end;
	log_warnings = function () end;
};
