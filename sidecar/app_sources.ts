// Part of the composition root: where the mesh is learnt from, as the bootstrap says.
import { isLoopback, isWildcard } from "./config/addresses.ts";
import type {
  Address,
  Bootstrap,
  ConsulConfig,
  ConsulConnection,
  EtcdConfig,
  Policy,
} from "./config/bootstrap.ts";
import { parsePolicy } from "./config/load.ts";
import { parseDocuments } from "./config/stored_policy.ts";
import { denoFilesIo } from "./control/files_io.ts";
import { EtcdPolicySource } from "./control/policy/etcd.ts";
import { FilePolicySource } from "./control/policy/file.ts";
import { LastGood } from "./control/policy/last_good.ts";
import { SectionPolicySource } from "./control/policy/section.ts";
import type { PolicySource } from "./control/policy/source.ts";
import { ConsulRegistry } from "./control/registry/consul.ts";
import { ConsulClient } from "./control/registry/consul/client.ts";
import { TextFile } from "./control/registry/consul/text_file.ts";
import { FilesRegistry } from "./control/registry/files.ts";
import type { Instance, Registry } from "./control/registry/registry.ts";
import { StaticRegistry } from "./control/registry/static.ts";
import type { Traffic } from "./etcd/layout.ts";
import type { EtcdStore } from "./etcd/store.ts";
import type { Clock } from "./lib/clock.ts";
import type { Logger } from "./telemetry/log.ts";
import { formatAddress } from "./net/tcp.ts";
import { WEIGHT_META, ZONE_META } from "./upstream/balancer/weights.ts";
import { MTLS_META, PROTOCOLS_META } from "./upstream/protocol.ts";

export type Environment = (name: string) => string | undefined;

export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the health port listens, once it does. */
  healthAddress(): Address;
}

export function makeRegistry(bootstrap: Bootstrap, parts: RegistryParts): Registry {
  const { registry } = bootstrap;
  const { clock, log } = parts;
  if (registry.kind === "static") return new StaticRegistry(registry.services, log);
  if (registry.kind === "consul") return makeConsulRegistry(bootstrap, registry, parts);
  return new FilesRegistry({ directory: registry.directory, clock, log, io: denoFilesIo });
}

function makeConsulRegistry(
  { service }: Bootstrap,
  config: ConsulConfig,
  { clock, log, healthAddress }: RegistryParts,
): Registry {
  const { check } = config;
  const api = consulClient(config, log);
  return new ConsulRegistry({
    api,
    clock,
    random: Math.random,
    log,
    io: denoFilesIo,
    datacenters: [config.datacenter, ...config.failoverDatacenters],
    isStale: config.isStale,
    graceMs: config.graceMs,
    cacheFile: `${config.cacheDirectory}/consul-${service.id}.json`,
    checkOf: ({ host }) =>
      check.mode === "ttl" ? { kind: "ttl" } : {
        kind: "http",
        url: healthUrl(healthAddress(), host),
        timeoutMs: check.timeoutMs,
      },
    checkIntervalMs: check.intervalMs,
    deregisterAfterMs: check.deregisterAfterMs,
  });
}

/** A way to an agent. */
export function consulClient(connection: ConsulConnection, log: Logger): ConsulClient {
  const { address, token, tokenFile, namespace, tls } = connection;
  return new ConsulClient({
    address,
    token,
    tokenFile: tokenFile === undefined ? undefined : new TextFile(tokenFile, denoFilesIo, log),
    namespace,
    tls,
    io: denoFilesIo,
  });
}

/** Where the agent asks: nobody answers but at the address that is listened on; `host` is ours where that is all of them. */
function healthUrl({ host: bound, port }: Address, host: string): string {
  const address = formatAddress({ host: isWildcard(bound) ? host : bound, port });
  return `http://${address}/health`;
}

export interface PolicyParts {
  readonly environment: Environment;
  /** Rejects where this instance cannot take the policy. */
  readonly prepare: (policy: Policy) => Promise<void>;
  readonly traffic: () => Traffic;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A section of the bootstrap is prepared by whoever starts: a start may fail. */
export function makePolicySource(bootstrap: Bootstrap, parts: PolicyParts): PolicySource {
  const { policySource, policy } = bootstrap;
  const { environment, prepare, clock, log } = parts;
  if (policySource.kind === "section") return new SectionPolicySource(policy);
  if (policySource.kind === "etcd") return makeEtcdSource(bootstrap, policySource, parts);
  const parse = async (text: string, file: string) => {
    const policy = parsePolicy(text, file, environment);
    await prepare(policy);
    return policy;
  };
  return new FilePolicySource({ path: policySource.path, parse, io: denoFilesIo, clock, log });
}

function makeEtcdSource(
  { service: { name, id } }: Bootstrap,
  config: EtcdConfig,
  { environment, prepare, traffic, clock, log }: PolicyParts,
): PolicySource {
  const { prefix, cacheDirectory } = config;
  return new EtcdPolicySource({
    open: () => openEtcdOf(config),
    prefix,
    service: name,
    instance: id,
    traffic,
    parse: async (documents) => {
      const policy = parseDocuments(documents, { prefix, service: name }, environment);
      await prepare(policy);
      return policy;
    },
    lastGood: new LastGood(`${cacheDirectory}/policy-${id}.json`, denoFilesIo, log),
    clock,
    random: Math.random,
    log,
  });
}

/** Reads the files of TLS anew, which may have been renewed. */
async function openEtcdOf(config: EtcdConfig): Promise<EtcdStore> {
  const [ca, certificate, key] = await Promise.all(
    [config.tls.ca, config.tls.certificate, config.tls.key].map(readPem),
  );
  const { openEtcd } = await import("./etcd/client.ts");
  return await openEtcd({
    ...config,
    tls: {
      ...config.tls,
      ...(ca && { ca }),
      ...(certificate && { certificate }),
      ...(key && { key }),
    },
  });
}

async function readPem(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const bytes = await denoFilesIo.read(path);
  if (bytes === null) throw new Error(`${path}: there is no such file`);
  return new TextDecoder().decode(bytes);
}

/** This sidecar as others find it; `port` is the inbound port that it got, where any was asked for. */
export function instanceOf(
  { service, listeners, identity }: Bootstrap,
  port: number,
  identityId?: string,
): Instance {
  const { zone, weight } = service;
  const isUnnamed = listeners.inbound.port === 0 && service.id === `${service.name}-0`;
  return {
    id: isUnnamed ? `${service.name}-${port}` : service.id,
    service: service.name,
    host: service.address,
    port,
    tags: service.tags,
    meta: {
      version: service.version,
      [PROTOCOLS_META]: "http1,http2",
      ...(identity.mode === "off" ? {} : { [MTLS_META]: "1" }),
      // For people who look: callers work out by themselves whom they expect.
      ...(identityId === undefined ? {} : { identity: identityId }),
      ...(isLoopback(listeners.admin.host) ? {} : { admin: formatAddress(listeners.admin) }),
      ...(zone === undefined ? {} : { [ZONE_META]: zone }),
      ...(weight === undefined ? {} : { [WEIGHT_META]: String(weight) }),
    },
  };
}
