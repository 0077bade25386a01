// What a registry is to the rest of control: a place to announce this instance and to watch others. Types only.
import type { Endpoint } from "../../snapshot/snapshot.ts";

/** One running instance of a service as it announces itself. */
export interface Instance {
  /** Unique in the registry; registering an id again replaces it. */
  readonly id: string;
  readonly service: string;
  readonly host: string;
  /** The sidecar's inbound port, not the app's. */
  readonly port: number;
  readonly tags: readonly string[];
  /** Free text pairs: version, protocols, zone, weight ... */
  readonly meta: Readonly<Record<string, string>>;
}

/** A live announcement. */
export interface Registration {
  /** Takes the instance out; resolves when the registry knows. May be called twice. Never throws: it logs. */
  deregister(): Promise<void>;
  /** Whether the registry has taken it; absent: it has. */
  isKnown?(): boolean;
}

/** How things stand with a registry that can be away. */
export interface RegistryStatus {
  readonly isUp: boolean;
  /** `cache`: some of the endpoints in use are those of the last run. */
  readonly source: "live" | "cache";
  /** How long nobody has confirmed the endpoints in use; undefined: the registry was never heard. */
  readonly ageMs: number | undefined;
  /** Why it is not up, if that is known. */
  readonly error?: string;
}

export type EndpointsListener = (endpoints: readonly Endpoint[]) => void;

/**
 * Contract, held by tests/support/registry_contract.ts for every backend:
 * a watch reports once as soon as the answer is known (also when it is "none") and again at each change, endpoints
 * sorted by id and frozen; a registry that cannot be reached keeps the last answer and never throws at a listener.
 */
export interface Registry {
  register(instance: Instance): Promise<Registration>;
  /** Disposing the subscription ends the reports. */
  watch(service: string, listener: EndpointsListener): Disposable;
  /** Absent: it cannot be away. */
  status?(): RegistryStatus;
  /** Ends every watch and heartbeat. Does not deregister. */
  close(): Promise<void>;
}
