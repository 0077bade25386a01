// Between instances as the mesh knows them and entries as Consul keeps them. Pure.
import type { Endpoint } from "../../../snapshot/snapshot.ts";
import { endpointOf } from "../endpoints.ts";
import type { Instance } from "../registry.ts";
import type { CheckDocument, EntryDocument, ServiceEntry } from "./api.ts";

/** Who wrote an entry: which process, and when it took the id. Kept in its meta and shown to nobody. */
export interface Holder {
  /** Tells a process from any other that ever ran; empty: an entry of somebody else. */
  readonly nonce: string;
  readonly since: number;
}

const NONCE = "mesh_nonce";
const SINCE = "mesh_since";

export function holderOf(meta: Readonly<Record<string, string>>): Holder {
  return { nonce: meta[NONCE] ?? "", since: Number(meta[SINCE] ?? 0) || 0 };
}

export interface EntryOptions {
  readonly holder: Holder;
  readonly check: CheckDocument;
  readonly deregisterAfterMs: number;
}

/** Registered as passing: we register while the app is well, and Consul's first own check may be an interval away. */
export function entryDocument(instance: Instance, options: EntryOptions): EntryDocument {
  const { id, service, host, port, tags, meta } = instance;
  const { holder, check, deregisterAfterMs } = options;
  return {
    id,
    name: service,
    address: host,
    port,
    tags,
    meta: { ...meta, [NONCE]: holder.nonce, [SINCE]: String(holder.since) },
    check: {
      ...check,
      status: "passing",
      deregistercriticalserviceafter: goDuration(deregisterAfterMs),
    },
  };
}

/** In Go's notation. */
export function goDuration(ms: number): string {
  return `${Math.max(1, Math.round(ms))}ms`;
}

/**
 * Ids are unique at an agent, not in a cluster of them: NAME-PORT is the same on every host. The entry that came first keeps
 * its id, so that another one changes nothing for it; the others get their node's name behind it.
 */
export function endpointsOf(entries: readonly ServiceEntry[]): Endpoint[] {
  const taken = new Set<string>();
  return [...entries].filter(isUsable).sort(byAge).map((entry) => {
    const { ID, Address, Port, Tags, Meta } = entry.Service;
    const id = taken.has(ID) ? `${ID}@${entry.Node.Node}` : ID;
    taken.add(id);
    return endpointOf({
      id,
      service: entry.Service.Service,
      host: Address === "" ? entry.Node.Address : Address,
      port: Port,
      tags: Tags ?? [],
      meta: withoutHolder(Meta ?? {}),
    });
  });
}

/** Something registered without a port is not for us to dial. */
function isUsable({ Service: { Port } }: ServiceEntry): boolean {
  return Number.isInteger(Port) && Port > 0 && Port < 65_536;
}

function byAge(a: ServiceEntry, b: ServiceEntry): number {
  return a.Service.CreateIndex - b.Service.CreateIndex || (a.Node.Node < b.Node.Node ? -1 : 1);
}

function withoutHolder(meta: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(meta).filter(([key]) => key !== NONCE && key !== SINCE),
  );
}
