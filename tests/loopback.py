"""A real HTTP server on loopback for tests of what goes over a network."""

import threading
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
