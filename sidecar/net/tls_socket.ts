// What both ends of a TLS connection do with a socket of node:tls: wait for the handshake, read off what was agreed and shown.
import type { TLSSocket } from "node:tls";
import type { AlpnProtocol } from "./transport.ts";

/** In order of preference. */
export const SPOKEN: readonly AlpnProtocol[] = ["h2", "http/1.1"];

/** Resolves when the handshake is done. The socket does not complain unheard after that either. */
export function secured(
  socket: TLSSocket,
  event: "secure" | "secureConnect" = "secure",
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const broken = () => reject(new Error("the peer broke off in the handshake"));
  const done = () => {
    socket.off("end", broken);
    socket.off("close", broken);
    resolve();
  };
  socket.on("error", reject);
  socket.once("end", broken);
  socket.once("close", broken);
  socket.once(event, done);
  return promise;
}

/** `alpnProtocol` is false where the client named none. */
export function protocolOf(socket: TLSSocket): AlpnProtocol | undefined {
  return SPOKEN.find((protocol) => protocol === socket.alpnProtocol);
}
