// Part of the composition root: where the mesh is learnt from, as the bootstrap says.
import type { Bootstrap } from "./config/bootstrap.ts";
import { parsePolicy } from "./config/load.ts";
import { denoFilesIo } from "./control/files_io.ts";
import { FilePolicySource } from "./control/policy/file.ts";
import { SectionPolicySource } from "./control/policy/section.ts";
import type { PolicySource } from "./control/policy/source.ts";
import { FilesRegistry } from "./control/registry/files.ts";
import type { Instance, Registry } from "./control/registry/registry.ts";
import { StaticRegistry } from "./control/registry/static.ts";
import type { Clock } from "./lib/clock.ts";
import type { Logger } from "./telemetry/log.ts";
import { MTLS_META, PROTOCOLS_META } from "./upstream/protocol.ts";

export type Environment = (name: string) => string | undefined;

export function makeRegistry({ registry }: Bootstrap, clock: Clock, log: Logger): Registry {
  if (registry.kind === "static") return new StaticRegistry(registry.services, log);
  return new FilesRegistry({ directory: registry.directory, clock, log, io: denoFilesIo });
}

export function makePolicySource(
  { policySource, policy }: Bootstrap,
  environment: Environment,
  clock: Clock,
  log: Logger,
): PolicySource {
  if (policySource.kind === "section") return new SectionPolicySource(policy);
  const parse = (text: string, file: string) => parsePolicy(text, file, environment);
  return new FilePolicySource({ path: policySource.path, parse, io: denoFilesIo, clock, log });
}

/** This sidecar as others find it; `port` is the inbound port that it got, where any was asked for. */
export function instanceOf({ service, listeners, identity }: Bootstrap, port: number): Instance {
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
    },
  };
}
