"""The real ClickHouse engine (chdb-core) behind the part of ClickHouse's HTTP interface that Rollcall uses.

`front.py FOLDER` serves the databases in FOLDER on a free port of 127.0.0.1 and prints it. Each request has its own
settings and parameters. Bodies are bytes in any input format; gzip is understood in both directions.
A failure answers with ClickHouse's error code in X-ClickHouse-Exception-Code. `kill -9` of this process is `kill -9` of
the server.
"""

import gzip
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb._chdb import connect

FOLDER = sys.argv[1]
# A connection that stays open keeps the engine, and with it all tables, in memory.
ENGINE = connect(FOLDER)
# Parameters of the interface that are no settings of the query.
NO_SETTING = {"query", "database", "user", "password", "query_id", "session_id", "enable_http_compression", "compress"}
# Sessions that are free, by database and settings: a session keeps both, so no request sees those of another kind.
FREE = {}
STATUS = {60: 404, 81: 404, 62: 400, 46: 400, 47: 400, 516: 403, 193: 403, 242: 503, 252: 503, 241: 503}


def opened(database, settings):
    session = connect(FOLDER)
    if database:
        session.query("USE `%s`" % database.replace("`", "``"))
    if settings:
        session.query("SET " + ", ".join("%s = '%s'" % (k, v.replace("'", "''")) for k, v in settings.items()))
    return session


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if urlsplit(self.path).path == "/ping":
            self.answer(200, b"Ok.\n")
        else:
            self.ask(b"")

    def do_POST(self):
        self.ask(self.body())

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            data = b"".join(parts)
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def ask(self, body):
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        query = asked.get("query", "")
        insert = re.match(r"(?is)^\s*(INSERT\s+INTO\s.*?)\sFORMAT\s+(\w+)\s*$", query)
        if not insert:
            query = "\n".join(part for part in (query, body.decode()) if part)
        settings = {k: v for k, v in asked.items() if k not in NO_SETTING and not k.startswith("param_")}
        params = {k[6:]: v for k, v in asked.items() if k.startswith("param_")}
        kind = (asked.get("database"), tuple(sorted(settings.items())))
        free = FREE.setdefault(kind, [])
        session = None
        try:
            session = free.pop() if free else opened(asked.get("database"), settings)
            if insert:
                stream = session.send_insert(insert[1], insert[2])
                session.insert_append(stream, body)
                session.insert_done(stream)
                answer = b""
            else:
                answer = session.query(query, "TabSeparated", params=params).bytes() or b""
        except Exception as error:  # whatever the engine throws is the client's answer
            message = str(error)
            code = int((re.search(r"Code: (\d+)", message) or [0, 0])[1])
            self.answer(STATUS.get(code, 500), message.encode(), {"X-ClickHouse-Exception-Code": str(code)})
            return
        finally:
            if session:
                free.append(session)
        if asked.get("enable_http_compression") == "1" and "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(200, gzip.compress(answer, 1), {"Content-Encoding": "gzip"})
        else:
            self.answer(200, answer)

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        # A client that is killed breaks its connections off.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Front)
print("listening on http://127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
