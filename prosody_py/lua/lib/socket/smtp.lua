-- LuaSocket's SMTP client: send { from =, rcpt =, source =, server =, port =, user =, password = },
-- and message { headers =, body = }, a source of the text of a mail. Only the caller waits.

local native = require "native.server";
local ltn12 = require "ltn12";
local random_id = require "util.id".short;

local ipairs, pairs, tostring, type = ipairs, pairs, tostring, type;
local t_concat, os_date = table.concat, os.date;

local smtp = { SERVER = "localhost"; PORT = 25; DOMAIN = "localhost"; TIMEOUT = 60; ZONE = "-0000" };

local function read_all(source, step)
	local parts = {};
	local ok, err = ltn12.pump.all(source, ltn12.sink.table(parts), step);
	if not ok then return nil, err; end
	return t_concat(parts);
end

-- Return 1, or nil and what the mail server has said.
function smtp.send(mail)
	if not mail.from or not mail.rcpt then error("a mail needs from and rcpt", 2); end
	local text, err = read_all(mail.source or ltn12.source.empty(), mail.step);
	if not text then return nil, err; end
	local ok;
	ok, err = native.mail_send(mail.from, type(mail.rcpt) == "table" and mail.rcpt or { mail.rcpt },
		text, {
			server = mail.server or smtp.SERVER; port = mail.port or smtp.PORT;
			own_name = mail.domain or smtp.DOMAIN; user = mail.user; password = mail.password;
			seconds = smtp.TIMEOUT;
		});
	if not ok then return nil, err; end
	return 1;
end

local function title(name)
	return (name:gsub("(%a)(%w*)", function (first, rest) return first:upper() .. rest; end));
end

-- Header lines; a value cannot bring further lines of its own, only continue on the next one.
local function put_headers(out, headers)
	for name, value in pairs(headers) do
		value = tostring(value):gsub("\r?\n([^ \t])", " %1"):gsub("[\r\n]+$", "");
		out[#out + 1] = title(name) .. ": " .. value .. "\r\n";
	end
	out[#out + 1] = "\r\n";
end

local put_message;

local function put_parts(out, headers, body)
	local boundary = random_id() .. random_id();
	local kind = headers["content-type"] or "multipart/mixed";
	headers["content-type"] = kind .. '; boundary="' .. boundary .. '"';
	put_headers(out, headers);
	if body.preamble then out[#out + 1] = body.preamble .. "\r\n"; end
	for _, part in ipairs(body) do
		out[#out + 1] = "\r\n--" .. boundary .. "\r\n";
		put_message(out, part, {});
	end
	out[#out + 1] = "\r\n--" .. boundary .. "--\r\n\r\n";
	if body.epilogue then out[#out + 1] = body.epilogue .. "\r\n"; end
end

function put_message(out, message, headers)
	for name, value in pairs(message.headers or {}) do headers[name:lower()] = value; end
	local body = message.body;
	if type(body) == "table" then return put_parts(out, headers, body); end
	headers["content-type"] = headers["content-type"] or 'text/plain; charset="iso-8859-1"';
	put_headers(out, headers);
	if type(body) == "function" then
		out[#out + 1] = assert(read_all(body));
	else
		out[#out + 1] = body and tostring(body) or "";
	end
end

-- The text is made when the source is read first.
function smtp.message(message)
	local source;
	return function ()
		if not source then
			local out = {};
			put_message(out, message, {
				["date"] = os_date("!%a, %d %b %Y %H:%M:%S ") .. smtp.ZONE;
				["mime-version"] = "1.0"; ["x-mailer"] = "LuaSocket 3.0.0";
			});
			source = ltn12.source.string(t_concat(out));
		end
		return source();
	end;
end

return smtp;
