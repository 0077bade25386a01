// What an attack may cost whoever it is made on: bounded memory, an end that is told, and nothing of others.
import { assert, assertLess } from "@std/assert";
import { until } from "../../integration/support/until.ts";
import { besides, flood } from "./flood.ts";
import type { Reason } from "./frames.ts";
import { H2Peer } from "./peer.ts";

/** A server under attack, seen from outside. */
export interface AbuseSubject {
  readonly port: number;
  /** What its process has of real memory. */
  residentBytes(): Promise<number>;
  /** Requests that its application has not been let go of. */
  working(): Promise<number>;
  /** An honest request on a new connection gets its own answer. */
  expectClean(): Promise<void>;
}

/** What comes first, and what comes again and again. */
export type Flood = readonly [
  name: string,
  first: Uint8Array,
  round: (round: number) => Uint8Array,
];

/** What an attack may add to the memory of the process, garbage that nobody collected yet included. */
const MAX_GROWTH = 64 << 20;

/** Runs `attack` on a connection of its own beside an innocent one, and looks at what it left. */
export async function abuse(
  server: AbuseSubject,
  attack: (peer: H2Peer) => Promise<void>,
): Promise<H2Peer> {
  await server.expectClean();
  const before = await server.residentBytes();
  const peer = await H2Peer.client(server.port, [], { patienceMs: 30_000 });
  try {
    await besides(server.port, () => attack(peer));
    assertLess(await server.residentBytes() - before, MAX_GROWTH);
  } finally {
    peer.close();
  }
  await until("no work is left", async () => await server.working() === 0);
  await server.expectClean();
  return peer;
}

/** The flood must end the connection with one of these reasons. */
export async function expectFlood(
  server: AbuseSubject,
  [, first, round]: Flood,
  ends: readonly Reason[],
) {
  const { view } = await abuse(server, async (peer) => {
    await peer.send(first);
    await flood(peer, round);
  });
  assert(view.goaway !== undefined, "it was taken without end");
  assert(ends.includes(view.goaway.reason), view.goaway.reason);
}
