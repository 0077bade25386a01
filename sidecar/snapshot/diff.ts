// What changed between two snapshots, in words for the log and in sets for whoever holds something per endpoint.
import type { Endpoint, Snapshot } from "./snapshot.ts";

export interface SnapshotDiff {
  readonly addedClusters: readonly string[];
  readonly removedClusters: readonly string[];
  /** By cluster, the ids of endpoints that came and went. */
  readonly endpoints: ReadonlyMap<
    string,
    { readonly added: readonly string[]; readonly removed: readonly string[] }
  >;
  readonly isPolicyChanged: boolean;
  /** Every part is the very same: `after` says nothing new. */
  readonly isSame: boolean;
}

export function diffSnapshots(before: Snapshot | undefined, after: Snapshot): SnapshotDiff {
  const known = before?.clusters ?? new Map();
  const endpoints = new Map<string, { added: string[]; removed: string[] }>();
  for (const name of new Set([...known.keys(), ...after.clusters.keys()])) {
    const change = diffEndpoints(
      known.get(name)?.endpoints ?? [],
      after.clusters.get(name)?.endpoints ?? [],
    );
    if (change.added.length + change.removed.length > 0) endpoints.set(name, change);
  }
  return {
    addedClusters: [...after.clusters.keys()].filter((name) => !known.has(name)),
    removedClusters: [...known.keys()].filter((name) => !after.clusters.has(name)),
    endpoints,
    isPolicyChanged: before?.policyRevision !== after.policyRevision,
    isSame: before !== undefined && isSameSnapshot(before, after),
  };
}

/** By identity of the parts, which compilation keeps: tags and weights count as much as addresses. */
function isSameSnapshot(before: Snapshot, after: Snapshot): boolean {
  return before.policyRevision === after.policyRevision && before.app === after.app &&
    before.grpcApp === after.grpcApp && before.authorization === after.authorization &&
    before.inboundJwt === after.inboundJwt &&
    before.inboundRateLimits === after.inboundRateLimits &&
    before.inboundConcurrency === after.inboundConcurrency &&
    before.edge === after.edge && before.routes === after.routes &&
    before.defaultUpstream === after.defaultUpstream &&
    before.clusters.size === after.clusters.size &&
    [...after.clusters].every(([name, cluster]) => before.clusters.get(name) === cluster);
}

/** An endpoint whose address changed under its id has gone and come. */
function diffEndpoints(
  before: readonly Endpoint[],
  after: readonly Endpoint[],
): { added: string[]; removed: string[] } {
  const name = (endpoint: Endpoint): string => `${endpoint.id} (${endpoint.host}:${endpoint.port})`;
  const old = new Set(before.map(name));
  const now = new Set(after.map(name));
  return {
    added: [...now].filter((one) => !old.has(one)),
    removed: [...old].filter((one) => !now.has(one)),
  };
}
