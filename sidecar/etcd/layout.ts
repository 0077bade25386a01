// Where in etcd the mesh keeps what, and the form of the values.

/** The service name under which the policy beneath all others stands. */
export const DEFAULT_POLICY = "_default";

/** What one instance says of the newest policy. */
export interface InstanceStatus {
  /** Names the documents: their revisions, `_default` first, joined by a plus; "none" without any. */
  readonly revision: string;
  /** Whether they are in force there. */
  readonly accepted: boolean;
  readonly error: string | null;
  /** When that was decided, as ISO 8601 in UTC. */
  readonly since: string;
  /** What became of requests since the start of the process; kept up to date during a canary. */
  readonly traffic?: Traffic;
}

export interface Traffic {
  readonly requests: number;
  /** Those that ended by a failure of the service, or by an answer of the mesh itself. */
  readonly failures: number;
}

/** A policy on trial: it takes the place of the service's own at some instances, for as long as its author renews the lease. */
export interface Canary {
  readonly text: string;
  /** Ids of those instances. */
  readonly instances: readonly string[];
}

/** One change of a policy. Its revision is that of its key: it is written in one transaction with the policy. */
export interface HistoryEntry {
  readonly author: string;
  readonly message: string;
  /** ISO 8601 in UTC. */
  readonly time: string;
  /** The document from then on; null: it was deleted. */
  readonly text: string | null;
}

export function policyKey(prefix: string, service: string): string {
  return `${prefix}/policy/${service}`;
}

export function canaryKey(prefix: string, service: string): string {
  return `${prefix}/canary/${service}`;
}

/** The instances of a service, or of all. */
export function statusPrefix(prefix: string, service?: string): string {
  return `${prefix}/status/${service === undefined ? "" : `${service}/`}`;
}

export function statusKey(prefix: string, service: string, instance: string): string {
  return `${statusPrefix(prefix, service)}${instance}`;
}

export function historyPrefix(prefix: string, service: string): string {
  return `${prefix}/history/${service}/`;
}

/** Sorts by time; `token` keeps apart what was written in the same millisecond. */
export function historyKey(
  prefix: string,
  service: string,
  epochMs: number,
  token: string,
): string {
  return `${historyPrefix(prefix, service)}${String(epochMs).padStart(15, "0")}-${token}`;
}

/** The name of a pair of documents; 0 stands for one that is not there. */
export function revisionOf(defaultRevision: number, revision: number): string {
  return [defaultRevision, revision].filter((each) => each > 0).join("+") || "none";
}

/** Whether a status is about documents among which is the one written at `revision`. */
export function names({ revision }: InstanceStatus, written: number): boolean {
  return revision.split("+").includes(String(written));
}

/** Whether a status is about what etcd held at `written` or later: of changes that follow each other some are passed over. */
export function isPast({ revision }: InstanceStatus, written: number): boolean {
  return revision.split("+").some((part) => Number(part) >= written);
}

/** Undefined where the text is no trial. */
export function canaryOf(json: string): Canary | undefined {
  try {
    const { text, instances } = JSON.parse(json) ?? {};
    const isSound = typeof text === "string" && Array.isArray(instances) &&
      instances.every((id) => typeof id === "string");
    return isSound ? { text, instances } : undefined;
  } catch {
    return undefined;
  }
}
