"""The configuration: load it, declare options, check it, plan a change of it.

`load.load(path)` reads the file, `options` declares what a module reads, `schema` knows all names,
`check` finds mistakes without starting anything, `plan.diff` says what a reload would do.
"""
