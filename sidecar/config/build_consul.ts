// What the document says of Consul -> how its agent is spoken to, as a registry and as an authority.
import type { ConnectConfig, ConsulConfig, ConsulConnection } from "./bootstrap.ts";
import type { BootstrapDocument } from "./schema/bootstrap.ts";
import { consulSection, type RegistryDocument } from "./schema/registry.ts";

type ConsulDocument = NonNullable<RegistryDocument["consul"]>;
type ConnectDocument = NonNullable<BootstrapDocument["identity"]["consul"]>;
type Access = Omit<ConnectDocument, "cache">;

export function buildConsul(consul: ConsulDocument): ConsulConfig {
  const { address, datacenter, check } = consul;
  return {
    kind: "consul",
    ...buildConnection(address, consul),
    ...(datacenter === undefined ? {} : { datacenter }),
    failoverDatacenters: consul.failoverDatacenters,
    isStale: consul.stale,
    graceMs: consul.grace,
    check: {
      mode: check.mode,
      intervalMs: check.interval,
      timeoutMs: check.timeout,
      deregisterAfterMs: check.deregisterAfter,
    },
    cacheDirectory: consul.cache.directory,
  };
}

/** Without an address everything is as in the registry: what opens one agent is not shown to another. */
export function buildConnect(
  connect: ConnectDocument,
  registry: ConsulDocument | undefined,
): ConnectConfig {
  const { address, cache: { directory: cacheDirectory } } = connect;
  const same = { kind: "consul", cacheDirectory } as const;
  if (address !== undefined) return { ...same, ...buildConnection(address, connect) };
  const agent = registry ?? consulSection.parse({});
  return { ...same, ...buildConnection(agent.address, agent) };
}

function buildConnection(
  address: ConsulConnection["address"],
  { token, tokenFile, namespace, ca, certificate, key }: Access,
): ConsulConnection {
  return {
    address,
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(namespace === undefined ? {} : { namespace }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
    },
  };
}
