// Ports over node:net, which TLS needs. Its accept loop outlives clients that reset before they are accepted and a lack of descriptors.
import { createServer, type Socket } from "node:net";
import { type HostPort, type Listener, listenError } from "./tcp.ts";

/** An accepted connection whose first bytes are still to come. */
export interface Arrival {
  readonly socket: Socket;
  readonly peer: HostPort;
}

export interface NodeListenerOptions {
  readonly onArrival: (arrival: Arrival) => void;
  /** The port itself has trouble; it goes on. */
  readonly onError: (error: Error) => void;
}

/** Half-open, without delay, with keepalive: as in tcp.ts. Rejects with ListenError where the address cannot be had. */
export function listenNode(address: HostPort, options: NodeListenerOptions): Promise<Listener> {
  const { promise, resolve, reject } = Promise.withResolvers<Listener>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    // A client that is gone already has no address any more.
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else options.onArrival({ socket, peer: { host: remoteAddress, port: remotePort } });
  });
  const fail = (error: Error) => reject(listenError(address, error));
  server.once("error", fail);
  server.listen({ host: address.host, port: address.port }, () => {
    server.off("error", fail);
    server.on("error", options.onError);
    const bound = server.address();
    if (bound === null || typeof bound === "string") return fail(new Error("no address is bound"));
    const finished = Promise.withResolvers<void>();
    resolve({
      address: { host: bound.address, port: bound.port },
      finished: finished.promise,
      close: () => {
        server.close();
        finished.resolve();
      },
    });
  });
  return promise;
}
