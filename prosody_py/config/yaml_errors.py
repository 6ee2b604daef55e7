"""Say in plain sentences what is wrong with a YAML text."""

from __future__ import annotations

import re

from yaml import MarkedYAMLError
from yaml.reader import ReaderError

from prosody_py.config.problems import Location, Problem

_QUOTE_IT = "put the value in quotes"

# Start of the parser's own words -> (sentence, hint, whether the place is where it began).
_SENTENCES = (
    (r"found character '\\t'",
     "a tab cannot be used here", "indent with spaces", False),
    (r"found character '(.)' that cannot start",
     "a value cannot begin with {0}", _QUOTE_IT, False),
    (r"mapping values are not allowed here",
     "a ':' is not expected here",
     "check the indentation of this line and the one above; text with ': ' in it needs quotes",
     False),
    (r"could not find expected ':'",
     "there is no ':' after this name", "write 'name: value'", True),
    (r"expected <block end>",
     "this line does not fit with the lines above it",
     "entries of one list or section begin in the same column", False),
    (r"expected ',' or '\]'",
     "the list that begins with '[' here is not closed, or lacks a comma",
     "separate the values with ',' and end the list with ']'", True),
    (r"expected ',' or '}'",
     "what begins with '{{' here is not closed, or lacks a comma",
     "separate the entries with ',' and end with '}}'", True),
    (r"found unexpected end of stream",
     "the quote that is opened here is never closed", "", True),
    (r"found unknown escape character",
     "this text in double quotes has an unknown escape after a backslash",
     "use single quotes, or write \\\\ for a backslash", False),
    (r"expected alphabetic or numeric character",
     "a value cannot begin with * or & here", _QUOTE_IT, True),
    (r"sequence entries are not allowed here",
     "a '-' is not expected here",
     "begin a list on the line below its name", False),
    (r"expected the node content, but found '<stream end>'",
     "the file ends inside a list or a mapping", "close each '[' with ']' and each '{{' with '}}'",
     False),
    (r"expected the node content",
     "a value is missing here", "", False),
    (r"block sequence entries are not allowed|found unexpected document",
     "this does not belong inside a value", "", False),
)


def plain(error: Exception, text: str, file: str) -> Problem:
    """Turn what the YAML parser raised for `text` into a problem in `file`."""
    if isinstance(error, ReaderError):
        return Problem.at(
            place_of(text, error.position, file), "a control character cannot stand in a YAML file"
        )
    if not isinstance(error, MarkedYAMLError):
        return Problem(file, 0, "a number or an escape in this file is out of range")
    said = error.problem or error.context or ""
    mark = error.problem_mark or error.context_mark
    sentence, hint = f"this is not YAML: {said}", ""
    for pattern, words, advice, at_start in _SENTENCES:
        if found := re.match(pattern, said):
            sentence = words.format(*found.groups())
            hint = advice.format()
            mark = error.context_mark if at_start and error.context_mark else mark
            break
    where = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
    return Problem.at(where, sentence, hint)


def place_of(text: str, position: int, file: str) -> Location:
    """Return the line and column of the character at index `position`."""
    before = text[:position]
    return Location(file, before.count("\n") + 1, position - before.rfind("\n"))
