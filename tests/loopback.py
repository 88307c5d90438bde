"""A real HTTP server on loopback for tests of what goes over a network."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    """A handler that does not log to stderr."""

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler):
    """Serve by ``handler`` and yield the server's address, such as http://127.0.0.1:4321."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}"
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def message(content=None, *, arguments=None, tool="proposal"):
    """An assistant's message as the API has it: text, or a tool call with ``arguments`` (text, or
    what becomes JSON).
    """
    if arguments is None:
        return {"content": content}
    arguments = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "content": content,
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": tool, "arguments": arguments}}
        ],
    }


@contextmanager
def model_server(answer):
    """An OpenAI-compatible server; yields its base URL and the list of what it was asked.

    ``answer(body, number)`` returns a message, ``(status, headers, JSON body)``, ``"hang"`` or
    ``"cut"``.
    """
    asked, ended = [], threading.Event()

    class Handler(QuietHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            given = answer(body, len(asked) - 1)
            if given == "hang":
                ended.wait(30)
                self.close_connection = True
                return
            status, headers, reply = (
                given
                if isinstance(given, tuple)
                else (200, {}, completion({} if given == "cut" else given))
            )
            text = json.dumps(reply).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(text)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text[: len(text) // 2] if given == "cut" else text)
            self.close_connection = given == "cut"

    with serving(Handler) as address:
        try:
            yield f"{address}/v1", asked
        finally:
            ended.set()


def completion(answer):
    """A chat completion with the message ``answer``."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **answer}}
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def failing(status, words="no", **headers):
    """An error as the API has it."""
    return status, headers, {"error": {"message": words, "type": "x", "code": None}}
