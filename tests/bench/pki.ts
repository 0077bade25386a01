// The certificates of a benchmark of mTLS: one root, and a leaf for each service, ECDSA with P-256 for everybody. As files, for
// programs that know nothing of meshes; the names in them are good for these and for a mesh.
import { join } from "node:path";
import { TestAuthority } from "../support/certificates.ts";
import type { Place } from "./place.ts";

/** Paths. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly trustBundle: string;
}

const SERVICES = ["user-service", "order-service"] as const;

export type ServiceName = typeof SERVICES[number];

/** Where makeIdentities puts what belongs to a service. */
export function identityOf(
  { directory }: Pick<Place, "directory">,
  service: ServiceName,
): Identity {
  return {
    certificate: join(directory, `${service}.pem`),
    key: join(directory, `${service}.key`),
    trustBundle: join(directory, "root.pem"),
  };
}

export async function makeIdentities(place: Pick<Place, "directory">): Promise<void> {
  const root = await TestAuthority.root("bench");
  for (const service of SERVICES) {
    const { certificate, key, trustBundle } = identityOf(place, service);
    const leaf = await root.issue({
      uris: [`spiffe://mesh.local/ns/default/svc/${service}`],
      dns: [service],
    });
    await Deno.writeTextFile(trustBundle, root.certificatePem);
    await Deno.writeTextFile(certificate, leaf.certificatePem);
    await Deno.writeTextFile(key, leaf.privateKeyPem, { mode: 0o600 });
  }
}
