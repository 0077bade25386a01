// Plays a case against a port and says what came of it. Frames are handled in their order, so a request sent behind them
// tells whether the connection goes on.
import { get } from "./block.ts";
import { formatVerdict, type H2Case, type Step, type Verdict } from "./case.ts";
import { headers } from "./frames.ts";
import { H2Peer } from "./peer.ts";
import type { View } from "./view.ts";

/** Higher than any stream of a case. */
const PROBE = 1_000_001;

export interface Observation {
  readonly view: View;
  /** Ended by the server, or it no longer answers. */
  readonly isClosed: boolean;
}

export async function observe(
  port: number,
  test: H2Case,
  patienceMs?: number,
): Promise<Observation> {
  const options = patienceMs === undefined ? {} : { patienceMs };
  using peer = test.isRaw
    ? await H2Peer.connect(port, options)
    : await H2Peer.client(port, test.settings, options);
  for (const step of test.steps) if (!await take(peer, step)) break;
  // A server that closes with something unread resets, and what it said last may be lost: send no more than it takes.
  const goesOn = test.allowed.some(({ is }) => is !== "connection error" && is !== "closed");
  if (goesOn) await peer.send(headers(PROBE, get("/probe")));
  const mayIgnore = test.allowed.some(({ is }) => is === "ignored");
  const awaited = mayIgnore
    ? []
    : test.allowed.flatMap((verdict) => "stream" in verdict ? [verdict.stream] : []);
  const { view } = peer;
  const isOpen = await peer.reaches(() =>
    goesOn && view.stream(PROBE).response !== undefined &&
    awaited.every((id) => view.stream(id).isOver)
  );
  // A connection error is one only once the connection is closed.
  const isClosed = !isOpen || view.goaway !== undefined && await peer.ended() !== "impatient";
  if (peer.ending === "impatient") {
    throw new Error(`nothing more came: ${describe({ view, isClosed: false })}`);
  }
  return { view, isClosed };
}

async function take(peer: H2Peer, step: Step): Promise<boolean> {
  if (step instanceof Uint8Array) return await peer.send(step);
  if (typeof step === "function") return await peer.send(step(peer.view));
  if ("over" in step) return await peer.reaches((view) => view.stream(step.over).isOver);
  return await peer.reaches((view) => view.stream(step.head).response !== undefined);
}

export function matches({ view, isClosed }: Observation, verdict: Verdict): boolean {
  switch (verdict.is) {
    case "connection error":
      return isClosed && view.goaway?.reason === verdict.reason;
    case "closed":
      return isClosed;
    case "stream error":
      return !isClosed && view.streams.get(verdict.stream)?.reset === verdict.reason;
    case "answered": {
      const stream = view.streams.get(verdict.stream);
      return !isClosed && stream?.status === verdict.status && stream.isEnded &&
        (stream.reset === undefined || stream.reset === "NO_ERROR");
    }
    case "ignored":
      return !isClosed && [...view.streams.values()].every(({ reset }) => reset === undefined);
  }
}

/** Throws unless what was observed is one of the verdicts that the case allows. */
export function judge(test: H2Case, observation: Observation): void {
  if (test.allowed.some((verdict) => matches(observation, verdict))) return;
  const allowed = test.allowed.map(formatVerdict).join(" or ");
  throw new Error(`RFC 9113 ${test.section}: ${describe(observation)}, and not ${allowed}`);
}

export function describe({ view, isClosed }: Observation): string {
  const streams = [...view.streams].filter(([id]) => id !== PROBE).map(([id, stream]) => {
    const head = stream.status === undefined ? "" : ` answered ${stream.status}`;
    const reset = stream.reset === undefined ? "" : ` reset ${stream.reset}`;
    return `stream ${id}${head}${reset}${stream.isEnded ? "" : " (not ended)"}`;
  });
  const connection = isClosed ? `closed with ${view.goaway?.reason ?? "no GOAWAY"}` : "open";
  return [`connection ${connection}`, ...streams].join(", ");
}
