// Consul's authority (Connect) as the agent's API shows it. Owns its paths and what their answers must look like.
import type {
  ConnectAuthority,
  ConnectLeaf,
  ConnectRoots,
} from "../../../identity/connect_authority.ts";
import { ConsulError } from "./api.ts";
import type { ConsulClient } from "./client.ts";

export class ConnectCa implements ConnectAuthority {
  readonly #client: Pick<ConsulClient, "newer" | "close">;

  constructor(client: Pick<ConsulClient, "newer" | "close">) {
    this.#client = client;
  }

  /** Needs `service:write` where there are ACLs. */
  async leaf(service: string, index: number, cut: AbortSignal): Promise<ConnectLeaf> {
    const path = `/agent/connect/ca/leaf/${encodeURIComponent(service)}`;
    const answer = await this.#client.newer(path, index, cut);
    const { ServiceURI, CertPEM, PrivateKeyPEM } = answer.body as Record<string, unknown>;
    if (![ServiceURI, CertPEM, PrivateKeyPEM].every((value) => typeof value === "string")) {
      throw new ConsulError("Consul answered something that is no certificate");
    }
    return {
      index: answer.index,
      id: ServiceURI as string,
      certificatePem: CertPEM as string,
      privateKeyPem: PrivateKeyPEM as string,
    };
  }

  async roots(index: number, cut: AbortSignal): Promise<ConnectRoots> {
    const answer = await this.#client.newer("/agent/connect/ca/roots", index, cut);
    const { Roots } = answer.body as Record<string, unknown>;
    const trustPem = Array.isArray(Roots) ? Roots.map(({ RootCert }) => RootCert) : [];
    if (trustPem.length === 0 || trustPem.some((pem) => typeof pem !== "string")) {
      throw new ConsulError("Consul answered something that is no list of roots");
    }
    return { index: answer.index, trustPem };
  }

  close(): void {
    this.#client.close();
  }
}
