// `deno run --allow-net tests/bench/http2/backend.ts PORT`: an h2c server on our own codec that answers GET with a small
// body and gRPC with one message and trailers, at once.
import { type Body, BytesBody } from "../../../sidecar/http/body.ts";
import { Field } from "../../../sidecar/http/field.ts";
import { FieldList, type Fields } from "../../../sidecar/http/fields.ts";
import type { Handler, Incoming, Response } from "../../../sidecar/http/message.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../../sidecar/http2/limits.ts";
import { Http2ServerConnection } from "../../../sidecar/http2/server_connection.ts";
import { utf8Bytes } from "../../../sidecar/lib/bytes.ts";
import { listenTcp } from "../../../sidecar/net/tcp.ts";

/** One message and what a gRPC server says behind it. */
class MessageBody extends BytesBody implements Body {
  override readonly trailers = new FieldList([OK, OK_MESSAGE]) as Fields & undefined;
}

const OK = new Field("grpc-status", "0");
const OK_MESSAGE = new Field("grpc-message", "");
const GRPC = new Field("content-type", "application/grpc");
const TEXT = new Field("content-type", "text/plain");
const LENGTH = new Field("content-length", "13");
const SERVER = new Field("server", "bench");

const MESSAGE = new Uint8Array(40);
MESSAGE[4] = 35;
const HELLO = utf8Bytes("hello, world\n");

function answer({ request }: Incoming): Response {
  if (request.headers.get("content-type") === "application/grpc") {
    request.body.whole();
    return { status: 200, headers: new FieldList([GRPC, SERVER]), body: new MessageBody(MESSAGE) };
  }
  return {
    status: 200,
    headers: new FieldList([TEXT, LENGTH, SERVER]),
    body: new BytesBody(HELLO),
  };
}

const handler: Handler = {
  handle: answer,
  finished: () => {},
  refuse: () => {
    throw new Error("the load is not what it should be");
  },
};

const port = Number(Deno.args[0] ?? 9301);
listenTcp({ host: "127.0.0.1", port }, (transport) => {
  new Http2ServerConnection(transport, handler, DEFAULT_HTTP2_LIMITS, new Uint8Array()).serve();
}, (error) => {
  throw error;
});
