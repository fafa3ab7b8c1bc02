"""The proxy: every request is answered here, and nothing is ever passed on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mitmproxy import ctx
from mitmproxy.http import HTTPFlow, Request, Response
from mitmproxy.options import Options
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.tools.dump import DumpMaster

from sandbox.capture import pagerduty, sendgrid, slack, teams, webhook
from sandbox.capture.answer import Answer
from sandbox.capture.channels import UNKNOWN
from sandbox.capture.messages import CapturedMessage, MessageLog, Service

HTTPS_PORT = 443
KNOWN_HOSTS = frozenset({slack.HOST, sendgrid.HOST, *pagerduty.HOSTS})
KNOWN_DOMAINS = (*teams.DOMAINS, webhook.DOMAIN)


class Receiver:
    """A mitmproxy addon that answers as each service would and records what it answered."""

    def __init__(self, folder: Path, log: MessageLog) -> None:
        self._folder = folder
        self._log = log

    def http_connect(self, flow: HTTPFlow) -> None:
        """Refuse a tunnel to any other host before anything is said in it."""
        host = flow.request.host
        known = host in KNOWN_HOSTS or host.endswith(KNOWN_DOMAINS)
        if not known or flow.request.port != HTTPS_PORT:
            self._reply(flow, *_refuse(flow.request))

    def request(self, flow: HTTPFlow) -> None:
        """Answer a request."""
        self._reply(flow, *self._receive(flow.request))

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Keep the proxy from opening a connection, whatever it was asked."""
        data.server.error = "the capture connects to nobody"

    def _receive(self, request: Request) -> tuple[CapturedMessage, Answer]:
        folder, host = self._folder, request.host
        path = request.path.partition("?")[0]
        url = f"https://{host}{request.path}"
        authorization = request.headers.get("Authorization", "")
        # Not `content`: that raises when the body is not compressed as its header says.
        body = request.get_content(strict=False) or b""
        is_https_post = request.method == "POST" and request.scheme == "https"
        if is_https_post and host == slack.HOST:
            reply = slack.receive(folder, path, body)
        elif is_https_post and host in pagerduty.HOSTS and path == pagerduty.PATH:
            reply = pagerduty.receive(folder, host, body)
        elif is_https_post and host == sendgrid.HOST and path == sendgrid.PATH:
            reply = sendgrid.receive(folder, authorization, body)
        elif is_https_post and teams.is_at(host, path):
            reply = teams.receive(folder, url, body)
        elif request.scheme == "https" and webhook.takes(request.method, host):
            reply = webhook.receive(folder, url, authorization, body)
        else:
            reply = _refuse(request)
        return reply

    def _reply(self, flow: HTTPFlow, message: CapturedMessage, answer: Answer) -> None:
        self._log.append(message)
        headers = {"Content-Type": answer.content_type}
        flow.response = Response.make(answer.status_code, answer.body, headers)


class Announcer:
    """A mitmproxy addon that tells the proxy's port as soon as the proxy listens."""

    def __init__(self, announce: Callable[[int], None]) -> None:
        self._announce = announce

    def running(self) -> None:
        """Tell the port."""
        addons: Any = ctx.master.addons  # not typed
        ((_, port, *_),) = addons.get("proxyserver").listen_addrs()
        self._announce(port)


def proxy(authority_folder: Path, *addons: object) -> DumpMaster:
    """Make a proxy on a free port of this machine, with a certificate authority of its own."""
    options = Options(listen_host="127.0.0.1", listen_port=0, confdir=str(authority_folder))
    master = DumpMaster(options, with_termlog=False, with_dumper=False)
    untyped: Any = master
    untyped.options.update(
        connection_strategy="lazy",
        upstream_cert=False,
        onboarding=False,
        # Whatever is not HTTP would otherwise be passed on as it is.
        rawtcp=False,
    )
    untyped.addons.add(*addons)
    return master


def _refuse(request: Request) -> tuple[CapturedMessage, Answer]:
    # Not the path: that of a webhook asked for in the wrong way is a secret.
    answer = Answer(502, "the sandbox contacts no other host", "text/plain; charset=utf-8")
    captured = CapturedMessage(
        service=Service.REFUSED,
        host=request.host,
        channel=UNKNOWN,
        status_code=answer.status_code,
        answer=answer.body,
        title=f"{request.method} {request.host}:{request.port}",
        text="",
        payload={},
    )
    return captured, answer
