// The Consul registry in the process of a test, with the heartbeat check that needs nobody to listen.
import { join } from "node:path";
import {
  ConsulRegistry,
  type ConsulRegistryOptions,
} from "../../../sidecar/control/registry/consul.ts";
import {
  ConsulClient,
  type ConsulClientOptions,
} from "../../../sidecar/control/registry/consul/client.ts";
import { denoFilesIo } from "../../../sidecar/control/files_io.ts";
import { systemClock } from "../../../sidecar/lib/clock.ts";
import { SILENT } from "../../../sidecar/telemetry/log.ts";
import type { Workspace } from "./workspace.ts";

export interface OpenOptions {
  readonly port: number;
  readonly client?: Partial<ConsulClientOptions>;
  readonly registry?: Partial<ConsulRegistryOptions>;
}

let opened = 0;

export function openRegistry(workspace: Workspace, options: OpenOptions): ConsulRegistry {
  const api = new ConsulClient({
    address: { kind: "http", host: "127.0.0.1", port: options.port },
    token: undefined,
    tokenFile: undefined,
    namespace: undefined,
    tls: {},
    io: denoFilesIo,
    ...options.client,
  });
  return new ConsulRegistry({
    api,
    clock: systemClock,
    random: Math.random,
    log: SILENT,
    io: denoFilesIo,
    datacenters: [undefined],
    isStale: true,
    graceMs: 10_000,
    cacheFile: join(workspace.path, "cache", `${opened++}.json`),
    checkOf: () => ({ kind: "ttl" }),
    checkIntervalMs: 15_000,
    deregisterAfterMs: 30_000,
    ...options.registry,
  });
}
