// The runtime's own HTTP server, for the ports that must answer even when our codec is the bug: admin and health.
import { type HostPort, listenError } from "./tcp.ts";

export interface PlainServer {
  readonly address: HostPort;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

/** Serves `handler`. Throws ListenError where the address cannot be had. */
export function serveHttp(
  address: HostPort,
  handler: (request: Request) => Response | Promise<Response>,
): PlainServer {
  const cut = new AbortController();
  try {
    const server = Deno.serve({
      hostname: address.host,
      port: address.port,
      signal: cut.signal,
      onListen: () => {},
      onError: (error) =>
        new Response(`internal error: ${error instanceof Error ? error.message : error}\n`, {
          status: 500,
        }),
    }, handler);
    return {
      address: { host: server.addr.hostname, port: server.addr.port },
      close: async () => {
        cut.abort();
        await server.finished;
      },
    };
  } catch (error) {
    throw listenError(address, error);
  }
}
