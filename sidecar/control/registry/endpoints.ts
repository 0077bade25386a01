// What every registry backend does with endpoints before anybody sees them: freeze, sort, compare, report.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { EndpointsListener, Instance } from "./registry.ts";

export const NO_ENDPOINTS: readonly Endpoint[] = Object.freeze([]);

/** The endpoint that an instance announces, frozen to the bottom. */
export function endpointOf(instance: Instance): Endpoint {
  const { id, host, port, tags, meta } = instance;
  return Object.freeze({
    id,
    host,
    port,
    tags: Object.freeze([...tags]),
    meta: Object.freeze({ ...meta }),
  });
}

/** Frozen and sorted by id, or `before` itself when nothing changed: callers compare by identity. */
export function settleEndpoints(
  endpoints: readonly Endpoint[],
  before: readonly Endpoint[],
): readonly Endpoint[] {
  const sorted = [...endpoints].sort(byId);
  const isSame = sorted.length === before.length &&
    sorted.every((endpoint, index) => isSameEndpoint(endpoint, before[index]));
  return isSame ? before : Object.freeze(sorted);
}

export function isSameEndpoint(a: Endpoint, b: Endpoint | null | undefined): boolean {
  if (a === b) return true;
  if (b === null || b === undefined) return false;
  return a.id === b.id && a.host === b.host && a.port === b.port &&
    isSameList(a.tags, b.tags) && isSameMeta(a.meta, b.meta);
}

/** Calls the listener; what it throws is its own bug and must not stop a registry. */
export function report(
  listener: EndpointsListener,
  endpoints: readonly Endpoint[],
  log: Logger,
): void {
  try {
    listener(endpoints);
  } catch (error) {
    log.error("a listener of endpoints threw", { error });
  }
}

function byId(a: Endpoint, b: Endpoint): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function isSameMeta(a: Endpoint["meta"], b: Endpoint["meta"]): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
