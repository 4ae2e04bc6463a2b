"""A site of two threads that reads each body, behind our buffer and, as the control, without it."""

from alliance.operations.whole_requests import WholeRequests


def unprotected(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


protected = WholeRequests(unprotected, threads=2)
