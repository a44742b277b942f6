"""moto's S3 server, made as strict as a real store: conditional writes are atomic, and a body cut short is refused.

moto checks `If-None-Match` first and stores later, in several threads, so two writers can both pass the check.
"""

import io
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

app = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def serial(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if len(body) < length:
        start_response("400 Bad Request", [("Content-Type", "application/xml")])
        return [b"<Error><Code>IncompleteBody</Code><Message>the body was cut short</Message></Error>"]
    environ["wsgi.input"] = io.BytesIO(body)
    with one_at_a_time:
        return [b"".join(app(environ, start_response))]


run_simple("127.0.0.1", int(sys.argv[1]), serial, threaded=True)
