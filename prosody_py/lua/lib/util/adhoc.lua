-- Handlers of ad-hoc commands (XEP-0050) that consist of one form.

local function error_result(text, default)
	return { status = "error"; error = {
		type = "cancel"; condition = "internal-server-error"; text or default;
	} };
end

local actions = { "next", "complete", default = "complete" };

-- result_handler(fields, errors, data) makes the answer to the filled in form.
local function new_simple_form(form, result_handler)
	return function (_, data, state)
		if state or data.form then
			if data.action == "cancel" then return { status = "canceled" }; end
			local fields, err = form:data(data.form);
			return result_handler(fields, err, data);
		end
		return { status = "executing"; actions = actions; form = form }, "executing";
	end;
end

-- As above; initial_data(data) returns the values that the form starts with, or nil and a reason.
local function new_initial_data_form(form, initial_data, result_handler)
	return function (_, data, state)
		if state or data.form then
			if data.action == "cancel" then return { status = "canceled" }; end
			local fields, err = form:data(data.form);
			return result_handler(fields, err, data);
		end
		local values, err = initial_data(data);
		if not values then return error_result(err, "No data for the form"); end
		if err then return error_result(err); end
		return {
			status = "executing"; actions = actions; form = { layout = form; values = values };
		}, "executing";
	end;
end

return {
	new_simple_form = new_simple_form; new_initial_data_form = new_initial_data_form;
};
