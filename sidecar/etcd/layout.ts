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
