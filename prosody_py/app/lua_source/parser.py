"""Lua source text to a tree. Everything that Lua 5.1 to 5.4 and LuaJIT accept is accepted.

What is wrong in one version only (an attribute, an operator) is not complained about: the runtime
that compiles a module says that better.
"""

from __future__ import annotations

from prosody_py.app.lua_source import nodes
from prosody_py.app.lua_source.lexer import (
    END,
    KEYWORD,
    MARK,
    NAME,
    NUMBER,
    STRING,
    LuaSyntaxError,
    Token,
    tokens,
)

_PRIORITIES = {
    "or": (1, 1), "and": (2, 2), "<": (3, 3), ">": (3, 3), "<=": (3, 3), ">=": (3, 3),
    "~=": (3, 3), "==": (3, 3), "|": (4, 4), "~": (5, 5), "&": (6, 6), "<<": (7, 7), ">>": (7, 7),
    "..": (9, 8), "+": (10, 10), "-": (10, 10), "*": (11, 11), "/": (11, 11), "//": (11, 11),
    "%": (11, 11), "^": (14, 13)}
_UNARY, _UNARY_PRIORITY = frozenset(("not", "-", "#", "~")), 12
_BLOCK_ENDS = frozenset(("end", "else", "elseif", "until"))
_MAX_DEPTH = 200  # as Lua itself


def parse(source: str) -> list[nodes.Node]:
    """Return the statements of a text; raises LuaSyntaxError."""
    parser = _Parser(tokens(source))
    try:
        body = parser.block()
    except RecursionError:
        raise parser.error("nested too deeply") from None
    if parser.token.kind != END:
        raise parser.error("'<eof>' expected")
    return body


class _Parser:
    """Goes through the tokens once, one ahead."""

    def __init__(self, found: list[Token]):
        self._tokens, self._index, self._depth = found, 0, 0
        self.token = found[0]

    # -- tokens ----------------------------------------------------------------------------

    def _next(self) -> Token:
        token = self.token
        if token.kind != END:
            self._index += 1
            self.token = self._tokens[self._index]
        return token

    def error(self, message: str) -> LuaSyntaxError:
        """Return an error at the token that is next."""
        return LuaSyntaxError(f"{message} near {self.token.raw or '<eof>'}", self.token.line)

    def _is(self, text: str) -> bool:
        token = self.token
        return token.raw == text and token.kind in (MARK, KEYWORD)

    def _take(self, text: str) -> bool:
        if self._is(text):
            self._next()
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self.error(f"'{text}' expected")

    def _name(self) -> str:
        if self.token.kind != NAME:
            raise self.error("<name> expected")
        return self._next().text

    def _at_end(self) -> bool:
        token = self.token
        return token.kind == END or (token.kind == KEYWORD and token.text in _BLOCK_ENDS)

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self.error("nested too deeply")

    # -- statements ------------------------------------------------------------------------

    def block(self) -> list[nodes.Node]:
        """Return the statements up to the end of a block."""
        self._enter()
        found = []
        while not self._at_end():
            statement = self._statement()
            if statement is not None:
                found.append(statement)
        self._depth -= 1
        return found

    def _statement(self) -> nodes.Node | None:
        token = self.token
        if token.kind == KEYWORD:
            method = _STATEMENTS.get(token.text)
            if method is None:
                raise self.error("unexpected symbol")
            self._next()
            return method(self, token.line)
        if self._take(";"):
            return None
        if self._take("::"):
            self._name()
            self._expect("::")
            return None
        if token.text == "goto" and self._tokens[self._index + 1].kind == NAME:
            self._next()
            self._next()
            return None
        return self._expression_statement()

    def _expression_statement(self) -> nodes.Node:
        line = self.token.line
        first = self._suffixed()
        if not (self._is("=") or self._is(",")):
            if not isinstance(first, nodes.Call | nodes.MethodCall):
                raise self.error("syntax error")
            return nodes.Do(line, [first])
        targets = [self._target(first)]
        while self._take(","):
            targets.append(self._target(self._suffixed()))
        self._expect("=")
        return nodes.Assign(line, targets, self._expressions())

    def _target(self, found: nodes.Node) -> nodes.Node:
        """Return what was just read if it can be assigned to: no call, and not in parentheses."""
        if not isinstance(found, nodes.Name | nodes.Index) or (
                self._tokens[self._index - 1].text == ")"):
            raise self.error("syntax error")
        return found

    def _local(self, line: int) -> nodes.Node:
        if self._take("function"):
            return nodes.Local(line, [self._name()], [self._function(line)], recursive=True)
        names = [self._attributed_name()]
        while self._take(","):
            names.append(self._attributed_name())
        return nodes.Local(line, names, self._expressions() if self._take("=") else [])

    def _attributed_name(self) -> str:
        name = self._name()
        if self._take("<"):
            self._name()
            self._expect(">")
        return name

    def _function_statement(self, line: int) -> nodes.Node:
        target: nodes.Node = nodes.Name(line, self._name())
        is_method = False
        while self._is(".") or self._is(":"):
            is_method = self._next().text == ":"
            name = self._name()
            target = nodes.Index(line, target, nodes.String(line, name, name))
            if is_method:
                break
        return nodes.Assign(line, [target], [self._function(line, is_method)])

    def _if(self, line: int) -> nodes.Node:
        branches: list[tuple[nodes.Node | None, list[nodes.Node]]] = []
        while True:
            condition = self._expression()
            self._expect("then")
            branches.append((condition, self.block()))
            if self._take("elseif"):
                continue
            if self._take("else"):
                branches.append((None, self.block()))
            self._expect("end")
            return nodes.If(line, branches)

    def _while(self, line: int) -> nodes.Node:
        condition = self._expression()
        self._expect("do")
        return self._ended(nodes.Do(line, [condition], body=self.block()))

    def _do(self, line: int) -> nodes.Node:
        return self._ended(nodes.Do(line, [], body=self.block()))

    def _for(self, line: int) -> nodes.Node:
        names = [self._name()]
        while self._take(","):
            names.append(self._name())
        if not self._take("in"):
            self._expect("=")
        expressions = self._expressions()
        self._expect("do")
        return self._ended(nodes.Do(line, expressions, names, self.block()))

    def _ended(self, node: nodes.Node) -> nodes.Node:
        self._expect("end")
        return node

    def _repeat(self, line: int) -> nodes.Node:
        body = self.block()
        self._expect("until")
        return nodes.Do(line, [], body=body, after=self._expression())

    def _return(self, line: int) -> nodes.Node:
        is_bare = self._at_end() or self._is(";")
        found = nodes.Return(line, [] if is_bare else self._expressions())
        self._take(";")
        if not self._at_end():
            raise self.error("'<eof>' expected")
        return found

    def _break(self, _line: int) -> None:
        return None

    # -- expressions -----------------------------------------------------------------------

    def _expressions(self) -> list[nodes.Node]:
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        return found

    def _expression(self, limit: int = 0) -> nodes.Node:
        self._enter()
        token = self.token
        if token.raw in _UNARY and token.kind in (MARK, KEYWORD):
            self._next()
            left: nodes.Node = nodes.Operation(token.line, token.text, None,
                                               self._expression(_UNARY_PRIORITY))
        else:
            left = self._simple()
        while True:
            token = self.token
            priority = _PRIORITIES.get(token.raw) if token.kind in (MARK, KEYWORD) else None
            if priority is None or priority[0] <= limit:
                self._depth -= 1
                return left
            self._next()
            left = nodes.Operation(token.line, token.text, left, self._expression(priority[1]))

    def _simple(self) -> nodes.Node:
        token = self.token
        if token.kind == STRING:
            self._next()
            return nodes.String(token.line, token.text, token.raw)
        if token.kind == NUMBER or token.raw in ("nil", "true", "false", "..."):
            self._next()
            return nodes.Constant(token.line, token.text)
        if self._is("{"):
            return self._table()
        if self._take("function"):
            return self._function(token.line)
        return self._suffixed()

    def _suffixed(self) -> nodes.Node:
        line = self.token.line
        if self._take("("):
            found = self._expression()
            self._expect(")")
        else:
            found = nodes.Name(line, self._name_or_complain())
        while True:
            token = self.token
            if token.kind == STRING or self._is("(") or self._is("{"):
                found = nodes.Call(token.line, found, self._arguments())
            elif self._take("."):
                key = self.token
                found = nodes.Index(key.line, found, nodes.String(key.line, self._name(), key.raw))
            elif self._take("["):
                found = nodes.Index(token.line, found, self._expression())
                self._expect("]")
            elif self._take(":"):
                name = self._name()
                found = nodes.MethodCall(token.line, found, name, self._arguments())
            else:
                return found

    def _name_or_complain(self) -> str:
        if self.token.kind != NAME:
            raise self.error("unexpected symbol")
        return self._next().text

    def _arguments(self) -> list[nodes.Node]:
        token = self.token
        if token.kind == STRING:
            self._next()
            return [nodes.String(token.line, token.text, token.raw)]
        if self._is("{"):
            return [self._table()]
        self._expect("(")
        if self._take(")"):
            return []
        found = self._expressions()
        self._expect(")")
        return found

    def _table(self) -> nodes.Node:
        self._enter()
        line = self.token.line
        self._expect("{")
        fields: list[tuple[nodes.Node | None, nodes.Node]] = []
        while not self._take("}"):
            fields.append(self._field())
            if not (self._take(",") or self._take(";")):
                self._expect("}")
                break
        self._depth -= 1
        return nodes.Table(line, fields)

    def _field(self) -> tuple[nodes.Node | None, nodes.Node]:
        token = self.token
        if self._take("["):
            key = self._expression()
            self._expect("]")
            self._expect("=")
            return key, self._expression()
        if token.kind == NAME and self._tokens[self._index + 1].raw == "=":
            self._next()
            self._next()
            return nodes.String(token.line, token.text, token.raw), self._expression()
        return None, self._expression()

    def _function(self, line: int, is_method: bool = False) -> nodes.Node:
        self._expect("(")
        parameters = ["self"] if is_method else []
        while not self._take(")"):
            if not self._take("..."):
                parameters.append(self._name())
            if not self._take(","):
                self._expect(")")
                break
        body = self.block()
        self._expect("end")
        return nodes.Function(line, parameters, body)


_STATEMENTS = {"function": _Parser._function_statement, "local": _Parser._local,
               "if": _Parser._if, "while": _Parser._while, "do": _Parser._do, "for": _Parser._for,
               "repeat": _Parser._repeat, "return": _Parser._return, "break": _Parser._break}
