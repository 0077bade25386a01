// Part of the composition root: how an address is dialled, by what policy says of its security.
import type { Mesh } from "./app_identity.ts";
import { dialTcp } from "./net/tcp.ts";
import type { Transport } from "./net/transport.ts";
import type { Address, DialProtocol } from "./upstream/pool.ts";

/** Rejects where no connection comes about, or to somebody who is not who was meant. */
export async function dialBy(
  mesh: Mesh | undefined,
  address: Address,
  signal: AbortSignal,
  protocol: DialProtocol,
): Promise<Transport> {
  const { security = { kind: "plain" } } = address;
  if (security.kind === "plain") return await dialTcp(address, signal);
  if (security.kind === "mesh") {
    if (mesh === undefined) throw new Error("the identity has not been loaded");
    return await mesh.dial(address, security.service, signal, protocol);
  }
  const { dialOrigin } = await import("./app_tls.ts");
  return await dialOrigin(address, signal, protocol);
}
