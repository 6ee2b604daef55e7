"""Lua source text as a tree, for those who read modules without running them."""
