// What we ask of Consul, in our own words: the seam between the registry and the `consul` package. Types and one error.

/** A request that Consul refused, failed or never answered. The message is for the log and names no secret. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  /** The HTTP status; undefined where no answer came. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

export interface PassingQuery {
  readonly service: string;
  /** Undefined: that of the agent. */
  readonly datacenter: string | undefined;
  /** 0: answer at once; else when something happened after it, or `waitMs` have passed. */
  readonly index: number;
  readonly waitMs: number;
  /** Any server may answer, not only the leader. */
  readonly isStale: boolean;
}

/** One instance as `health/service` shows it; only what we read. */
export interface ServiceEntry {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Service: string;
    /** Empty: that of the node. */
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
    readonly CreateIndex: number;
  };
}

export interface PassingAnswer {
  readonly entries: readonly ServiceEntry[];
  /** X-Consul-Index. */
  readonly index: number;
  /** False: the servers that answered know of no leader, so this may be old. */
  readonly knowsLeader: boolean;
}

/** How the agent finds out whether an instance lives. */
export type CheckDocument =
  | { readonly http: string; readonly interval: string; readonly timeout: string }
  | { readonly ttl: string };

/** An instance as it is registered at the agent. */
export interface EntryDocument {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly check: CheckDocument & {
    readonly status: "passing";
    readonly deregistercriticalserviceafter: string;
  };
}

/** What the agent itself has under an id. */
export interface AgentEntry {
  readonly isCritical: boolean;
  /** What its failing checks said. */
  readonly detail: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** Every method rejects with ConsulError. */
export interface ConsulApi {
  /** Rejects at once when `cut` aborts. */
  passing(query: PassingQuery, cut: AbortSignal): Promise<PassingAnswer>;
  register(entry: EntryDocument): Promise<void>;
  deregister(id: string): Promise<void>;
  /** Null: the agent has no such id. */
  entry(id: string): Promise<AgentEntry | null>;
  /** A heartbeat of the TTL check of an id. */
  pass(id: string): Promise<void>;
  /** Resolves when Consul can be worked with: the agent answers and knows a leader. */
  probe(): Promise<void>;
  /** Ends every request. */
  close(): void;
}
