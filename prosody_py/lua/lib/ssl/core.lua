-- LuaSec's functions on its connections.

return {
	info = function (socket, field) return socket:info(field); end;
};
