"""The manual in docs/manual, made from the code: options, modules, events, commands, module API."""
