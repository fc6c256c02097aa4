"""Serves moto's DynamoDB on loopback, with two gaps closed.

moto checks a condition and writes in two steps, so requests are taken one at a time; and it stumbles over line breaks
in an expression, where DynamoDB takes any white space.
"""

import io
import json
import sys
import threading

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

one_at_a_time = threading.Lock()
backend = create_backend_app("dynamodb")


def on_one_line(body):
    try:
        request = json.loads(body)
    except ValueError:
        return body
    for key, value in request.items():
        if key.endswith("Expression"):
            request[key] = " ".join(value.split())
    return json.dumps(request).encode()


def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = on_one_line(environ["wsgi.input"].read(length))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    with one_at_a_time:
        return backend(environ, start_response)


class KeepAlive(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=KeepAlive)
