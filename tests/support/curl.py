"""The few ways of curl that our documents use, for machines that have Python and make only.

Owns no meaning of its own: whatever an option does here, curl does too. Unknown options end it.
"""

import argparse
import http.client
import sys
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

_TIMEOUT_SECONDS = 30
_FORM = "application/x-www-form-urlencoded"


def main() -> None:
    """Make one request and write what comes back."""
    wanted = _arguments()
    parts = urlsplit(wanted.url)
    answer = _asked(wanted, parts)
    body = answer.read()
    if wanted.include:
        lines = [f"HTTP/1.1 {answer.status}", *(f"{n}: {v}" for n, v in answer.getheaders())]
        body = "\r\n".join([*lines, "", ""]).encode() + body
    if wanted.output:
        Path(wanted.output).write_bytes(body)
    else:
        sys.stdout.buffer.write(body)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("-i", "--include", action="store_true")
    parser.add_argument("-o", "--output")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data", action="append", default=[])
    parser.add_argument("url")
    return parser.parse_args()


def _asked(wanted: argparse.Namespace, parts: SplitResult) -> http.client.HTTPResponse:
    headers = {"Accept": "*/*"}
    if wanted.data:
        headers["Content-Type"] = _FORM
    headers.update(line.split(": ", 1) for line in wanted.header)
    method = wanted.request or ("POST" if wanted.data else "GET")
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    line = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    line.request(method, path, "&".join(wanted.data).encode() or None, headers)
    return line.getresponse()


if __name__ == "__main__":
    main()
