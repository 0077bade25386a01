// TLS to endpoints outside the mesh: the runtime's roots or an authority of the operator's, and the host's name as everywhere.
import { checkServerIdentity, createSecureContext, type SecureContext } from "node:tls";
import type { NodeTransport } from "./node_transport.ts";
import type { HostPort } from "./tcp.ts";
import { dialSecure } from "./tls_dial.ts";
import { parseRoots } from "./tls_identity.ts";
import type { AlpnProtocol } from "./transport.ts";

/** Whom to trust; made once and shared by all connections. */
export class OriginTrust {
  readonly context: SecureContext;

  /** Without `trustPem`, the roots that the runtime comes with. Throws TlsMaterialError. */
  constructor(trustPem?: string) {
    if (trustPem !== undefined) parseRoots(trustPem);
    this.context = createSecureContext({
      minVersion: "TLSv1.2",
      ...trustPem !== undefined && { ca: trustPem },
    });
  }
}

export interface DialOriginOptions {
  readonly trust: OriginTrust;
  /** For SNI, and what the certificate must be for. */
  readonly serverName: string;
  readonly alpn: readonly AlpnProtocol[];
}

/** Rejects with what is wrong with the certificate, or with the connection. */
export function dialOriginTls(
  address: HostPort,
  signal: AbortSignal,
  { trust, serverName, alpn }: DialOriginOptions,
): Promise<NodeTransport> {
  return dialSecure(address, signal, {
    tls: {
      secureContext: trust.context,
      servername: serverName,
      ALPNProtocols: [...alpn],
      minVersion: "TLSv1.2",
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    },
    identify: ({ verdict }) => {
      if (verdict !== undefined) throw new Error(`the certificate is not accepted: ${verdict}`);
      return undefined;
    },
  });
}
