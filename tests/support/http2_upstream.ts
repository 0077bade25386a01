// An HTTP/2 upstream without a network: real server connections over linked transports, and a handler of the test's.
import type { Handler, Incoming, Response } from "../../sidecar/http/message.ts";
import { emptyResponse } from "../../sidecar/http/message.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "../../sidecar/http2/limits.ts";
import { Http2ServerConnection } from "../../sidecar/http2/server_connection.ts";
import type { Transport } from "../../sidecar/net/transport.ts";
import { type LinkedEnd, linkedTransports } from "./linked_transports.ts";

export interface Http2UpstreamConnection {
  readonly address: string;
  readonly server: Http2ServerConnection;
  /** The end that the proxy holds. */
  readonly client: LinkedEnd;
  /** Cuts the connection without a word. */
  cut(): void;
}

export class Http2Upstream {
  readonly connections: Http2UpstreamConnection[] = [];
  /** Addresses that refuse a connection. */
  readonly down = new Set<string>();
  /** Every request, in the order in which they came. */
  readonly requests: Incoming[] = [];
  /** Answers each request. */
  respond: (incoming: Incoming, address: string) => Response | Promise<Response> = () =>
    emptyResponse(200);
  readonly #limits: Http2Limits;

  constructor(limits: Partial<Http2Limits> = {}) {
    this.#limits = { ...DEFAULT_HTTP2_LIMITS, ...limits };
  }

  readonly dial = (
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<Transport> => {
    const address = `${host}:${port}`;
    if (this.down.has(address)) return Promise.reject(new Error("refused by the script"));
    const [client, far] = linkedTransports();
    const handler: Handler = {
      handle: (incoming) => {
        this.requests.push(incoming);
        return this.respond(incoming, address);
      },
      finished: () => {},
      refuse: () => emptyResponse(400),
    };
    const server = new Http2ServerConnection(far, handler, this.#limits, new Uint8Array());
    server.serve();
    this.connections.push({ address, server, client, cut: () => far.close() });
    return Promise.resolve(client);
  };
}
