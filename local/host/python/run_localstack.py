"""Runs LocalStack on loopback only: its Twisted server drops the host of GATEWAY_LISTEN and would listen everywhere."""

import functools

from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")

from localstack.runtime.main import main  # noqa: E402 - it takes the endpoints as they are now

main()
