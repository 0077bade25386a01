// The memory of a proxy that has nothing to do: alone, and with a thousand connections that were used once.
import { ask, connect } from "./client.ts";
import { checkAnswer } from "./measure.ts";
import { type PeerKind, type Place, stopPeer } from "./place.ts";
import { readUsage } from "./proc.ts";
import { requestHeaders, requestText, type Workload } from "./workloads.ts";

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
  place: Place,
  kind: PeerKind,
  workload: Workload,
  restMs: number,
): Promise<Memory> {
  const peer = await kind.start(place);
  const roots = peer.processes.map(({ pid }) => pid);
  await checkAnswer(place, peer, workload);
  await rest(restMs);
  const { rssMiB: idleMiB } = await readUsage(roots);
  const request = requestText(workload, peer.path(workload.id), requestHeaders(place.token));
  const connections: Deno.TcpConn[] = [];
  try {
    while (connections.length < IDLE_CONNECTIONS) {
      const connection = await connect(peer.port);
      connections.push(connection);
      await ask(connection, request);
    }
    await rest(restMs);
    const { rssMiB: connectedMiB } = await readUsage(roots);
    return { peer: peer.name, idleMiB, connectedMiB };
  } finally {
    for (const connection of connections) connection.close();
    await stopPeer(peer);
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
