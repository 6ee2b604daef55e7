"""Pages for the errors of HTTP, and for the messages that other modules show to browsers."""

from __future__ import annotations

from html import escape

from prosody_py.api import Options, boolean, mapping, string

GLOBAL = True
_STYLE = ("body{margin:14% 1em 0;text-align:center;font-family:sans-serif;color:#222;"
          "background:#fafafa}p.more{font-family:monospace;white-space:pre-wrap}"
          "p.warning{background:#fe9}@media(prefers-color-scheme:dark)"
          "{body{color:#ddd;background:#181818}p.warning{color:#222}}")
_TEXTS = {
    400: "This request could not be understood.",
    401: "You have to log in for this.",
    403: "This is not for you.",
    404: "There is nothing at this address.",
    405: "This cannot be done here.",
    408: "The request took too long.",
    413: "This is more than the server takes.",
    431: "The headers of the request are too large.",
    500: "Something went wrong on the server; its log says what.",
    501: "The server cannot do this.",
    503: "This does not work at the moment; try again later.",
}


class Config(Options):
    """What stands on error pages."""

    http_errors_detailed = boolean(False, doc="Show on error pages what went wrong inside; for "
                                              "development only.")
    http_errors_always_show = boolean(True, doc="Send error pages also to clients that do not ask "
                                                "for HTML.")
    http_errors_default_message = string("That is all that is known.",
                                         doc="Text for codes without one of their own.")
    http_errors_messages = mapping(None, values_=string(), doc="Texts by status code.")


def page(title: str, text: str, extra: str | None = None, warning: str | None = None) -> str:
    """Return an HTML page."""
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(text)}</p>"]
    if warning:
        parts.insert(1, f'<p class="warning">{escape(warning)}</p>')
    if extra:
        parts.append(f'<p class="more">{escape(extra)}</p>')
    return ('<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n'
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            + "\n".join(parts) + "\n</body>\n</html>\n")


def is_html(response) -> None:
    """Say that an answer is an HTML page."""
    response.headers["content_type"] = "text/html; charset=utf-8"


def wants_page(options, request) -> bool:
    """Whether a client is to get a page."""
    if options.http_errors_always_show or request is None:
        return True
    accepted = request.headers.get("accept", "*/*")
    return "text/html" in accepted or "*/*" in accepted


def show_error(module, event) -> str | None:
    """Make the page of an error."""
    options, request, response, code = module.options, event.request, event.response, event.code
    if code == 404 and request is not None and request.path == "/":
        response.status_code = 200
        is_html(response)
        return page("It works", "An XMPP server answers here; there is no page at this address.")
    if not wants_page(options, request):
        return None
    message = getattr(event, "message", None)
    error = getattr(event, "error", None)
    if message is None and error is not None:
        message = getattr(error, "text", None)
    if options.http_errors_detailed and getattr(event, "private_message", None):
        message = event.private_message
    messages = options.http_errors_messages
    text = messages.get(code) or messages.get(str(code)) or _TEXTS.get(
        code, options.http_errors_default_message)
    is_html(response)
    return page(f"{code} {module.server.http.reason(code)}", text, message)


def show_message(event) -> str:
    """Make the page of a message."""
    is_html(event.response)
    return page(event.title or "", event.message or "", warning=getattr(event, "warning", None))


def load(module):
    """Handle what the HTTP server and global modules ask for."""
    module.hook_object_event(module.server.http.events, "http-error",
                             lambda event: show_error(module, event), -1)
    module.hook("http-message", show_message, -1)


def add_host(module):
    """Handle what modules of a host ask for."""
    module.hook("http-message", show_message, -1)
