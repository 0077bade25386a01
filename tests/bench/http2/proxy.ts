// `deno run --allow-net tests/bench/http2/proxy.ts PORT UPSTREAM_PORT [CONNECTIONS]`: a reverse proxy made of nothing but our
// HTTP/2 server and client, for knowing what the codec costs. The real proxy is proxy/.
import type { Handler, Incoming, Response } from "../../../sidecar/http/message.ts";
import { Http2ClientConnection } from "../../../sidecar/http2/client_connection.ts";
import { DEFAULT_HTTP2_LIMITS as LIMITS } from "../../../sidecar/http2/limits.ts";
import { Http2ServerConnection } from "../../../sidecar/http2/server_connection.ts";
import { ProxyError } from "../../../sidecar/errors.ts";
import { Sweeper } from "../../../sidecar/lib/sweeper.ts";
import { systemClock } from "../../../sidecar/lib/clock.ts";
import { dialTcp, listenTcp } from "../../../sidecar/net/tcp.ts";
import { rescue, toProxyError } from "../../../sidecar/proxy/rescue.ts";

const [port = 9302, upstreamPort = 9301, connections = 2] = Deno.args.map(Number);

const sweeper = new Sweeper(systemClock);

class Upstream {
  #connection: Http2ClientConnection | undefined;
  #dialing: Promise<Http2ClientConnection> | undefined;

  get(): Http2ClientConnection | Promise<Http2ClientConnection> {
    if (this.#connection?.isUsable) return this.#connection;
    return this.#dialing ??= this.#dial();
  }

  async #dial(): Promise<Http2ClientConnection> {
    const signal = new AbortController().signal;
    const transport = await dialTcp({ host: "127.0.0.1", port: upstreamPort }, signal);
    this.#dialing = undefined;
    const connection: Http2ClientConnection = new Http2ClientConnection(transport, LIMITS, {
      onFree: () => {},
      onGoaway: () => {},
      onClosed: () => sweeper.delete(connection),
    });
    sweeper.add(connection);
    return this.#connection = connection;
  }
}

const upstreams = Array.from({ length: connections }, () => new Upstream());
let turn = 0;

/** As proxy/pipeline.ts does it: async, though all of it may be there at once. */
async function forward(incoming: Incoming): Promise<Response> {
  try {
    const upstream = upstreams[turn = (turn + 1) % upstreams.length]!.get();
    const connection = upstream instanceof Promise ? await upstream : upstream;
    const number = connection.nextTurn;
    incoming.cancellation.onCancel((reason) =>
      connection.abortExchange(number, toProxyError(reason))
    );
    return await connection.send(incoming.request, (interim) => incoming.sendInterim(interim));
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return rescue(error);
  }
}

const handler: Handler = {
  handle: forward,
  finished: () => {},
  refuse: (error) => rescue(toProxyError(error)),
};

listenTcp({ host: "127.0.0.1", port }, (transport) => {
  const received = new Uint8Array();
  const connection = new Http2ServerConnection(transport, handler, LIMITS, received);
  sweeper.add(connection);
  connection.serve().finally(() => sweeper.delete(connection));
}, (error) => {
  throw error;
});
