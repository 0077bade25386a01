// The memory of a proxy that has nothing to do: alone, and with a thousand connections that were used once.
import { type PeerKind, type Place, stopPeer } from "./place.ts";
import { readUsage } from "./proc.ts";
import type { Suite } from "./suite.ts";

export const IDLE_CONNECTIONS = 1000;

export interface Memory {
  readonly peer: string;
  /** After one request and some seconds of rest. */
  readonly idleMiB: number;
  /** With IDLE_CONNECTIONS kept open that had one request each. */
  readonly connectedMiB: number;
}

/** Measures one proxy, started for it. `restMs` is how long it is left alone before it is looked at. */
export async function measureMemory(
  suite: Suite,
  place: Place,
  kind: PeerKind,
  restMs: number,
): Promise<Memory> {
  const peer = await kind.start(place);
  const roots = peer.processes.map(({ pid }) => pid);
  const workload = suite.workloads[0]!;
  using connections = new DisposableStack();
  try {
    (await suite.ask(place, peer, workload))[Symbol.dispose]();
    await rest(restMs);
    const { rssMiB: idleMiB } = await readUsage(roots);
    for (let count = 0; count < IDLE_CONNECTIONS; count++) {
      connections.use(await suite.ask(place, peer, workload));
    }
    await rest(restMs);
    const { rssMiB: connectedMiB } = await readUsage(roots);
    return { peer: peer.name, idleMiB, connectedMiB };
  } finally {
    connections.dispose();
    await stopPeer(peer);
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
