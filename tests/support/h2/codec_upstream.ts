// Our codec in the role of the client, with an evil server before it and nothing else: one connection, made anew when the
// last one is not usable any more.
import { ProxyError } from "../../../sidecar/errors.ts";
import { readBody } from "../../../sidecar/http/body.ts";
import { FieldList } from "../../../sidecar/http/fields.ts";
import { Http2ClientConnection } from "../../../sidecar/http2/client_connection.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../../sidecar/http2/limits.ts";
import { latin1 } from "../../../sidecar/lib/bytes.ts";
import { dialTcp } from "../../../sidecar/net/tcp.ts";
import { requestOf } from "../messages.ts";
import { EvilServer } from "./evil_server.ts";
import type { UpstreamOutcome, UpstreamSubject } from "./upstream_case.ts";

const MAX_BODY = 1 << 20;

export class CodecUpstream implements UpstreamSubject, AsyncDisposable {
  readonly server = new EvilServer();
  /** Connections that said that they are closed; each may say so once. */
  closes = 0;
  connections = 0;
  #connection: Http2ClientConnection | undefined;
  #closed = Promise.resolve();

  async ask(method: string, path: string): Promise<UpstreamOutcome> {
    const connection = await this.#connect();
    try {
      const headers = new FieldList();
      const request = requestOf({ method, target: path, version: "2", headers });
      const { status, body } = await connection.send(request, () => {});
      const bytes = await readBody(body, MAX_BODY);
      if (bytes === null) throw new Error("a body of more than a megabyte");
      return { status, body: latin1(bytes, 0, bytes.length) };
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return { kind: error.kind, retry: error.retry };
    }
  }

  async forget(): Promise<void> {
    this.#connection?.close();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forget();
    await this.server[Symbol.asyncDispose]();
  }

  async #connect(): Promise<Http2ClientConnection> {
    if (this.#connection?.isUsable) return this.#connection;
    await this.forget();
    const address = { host: "127.0.0.1", port: this.server.port };
    const transport = await dialTcp(address, AbortSignal.timeout(5000));
    const closed = Promise.withResolvers<void>();
    this.#closed = closed.promise;
    this.connections++;
    const events = {
      onFree: () => {},
      onGoaway: () => {},
      onClosed: () => {
        this.closes++;
        closed.resolve();
      },
    };
    return this.#connection = new Http2ClientConnection(transport, DEFAULT_HTTP2_LIMITS, events);
  }
}
