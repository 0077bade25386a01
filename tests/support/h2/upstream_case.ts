// What an upstream's frames and their verdict are, as data.
import type { ErrorKind, Retry } from "../../../sidecar/errors.ts";
import type { EvilServer, Greeting } from "./evil_server.ts";
import type { Reason } from "./frames.ts";

export type UpstreamVerdict =
  /** GOAWAY with this reason, the connection is closed, and the exchange failed by the upstream's protocol. */
  | { readonly is: "connection error"; readonly reason: Reason }
  /** RST_STREAM with this reason, the connection goes on, and the exchange failed likewise. */
  | { readonly is: "stream error"; readonly reason: Reason }
  /** The exchange failed, and may be tried again as it says. */
  | { readonly is: "failed"; readonly kind: ErrorKind; readonly retry: Retry }
  /** The response is passed on. */
  | { readonly is: "answered"; readonly status: number };

export interface UpstreamCase {
  readonly name: string;
  readonly section: string;
  readonly method?: string;
  readonly greeting?: Greeting;
  /** What the request is answered with. */
  readonly respond: (stream: number) => Uint8Array;
  /** The server closes behind it. */
  readonly closes?: boolean;
  readonly allowed: readonly UpstreamVerdict[];
  /** Why there is more than one verdict. */
  readonly why?: string;
}

/** What became of one exchange, as whoever asked sees it. */
export interface UpstreamOutcome {
  /** Of a response that came whole. */
  readonly status?: number;
  readonly body?: string;
  /** Of one that did not; `cut` where only a part of it came. */
  readonly kind?: ErrorKind | "cut";
  /** Not where the proxy itself decides whether to try again, and does. */
  readonly retry?: Retry;
}

/** Asks through whatever is under test; `server` is the upstream behind it. */
export interface UpstreamSubject {
  readonly server: EvilServer;
  ask(method: string, path: string): Promise<UpstreamOutcome>;
  /** The next `ask` goes by a new connection. */
  forget(): Promise<void>;
}

export function upstreamConnectionError(reason: Reason): UpstreamVerdict {
  return { is: "connection error", reason };
}

export function upstreamStreamError(reason: Reason): UpstreamVerdict {
  return { is: "stream error", reason };
}

export function failed(kind: ErrorKind, retry: Retry): UpstreamVerdict {
  return { is: "failed", kind, retry };
}

export function passed(status: number): UpstreamVerdict {
  return { is: "answered", status };
}

let count = 0;

/** Plays a case through the subject, holds it to its verdict, and asks again honestly. */
export async function play(subject: UpstreamSubject, test: UpstreamCase): Promise<void> {
  const { server } = subject;
  const path = `/case/${++count}`;
  if (test.greeting !== undefined) {
    await subject.forget();
    server.greet(test.greeting);
  }
  const needsReaction = test.allowed.some(({ is }) => is.endsWith("error"));
  const reacted = Promise.withResolvers<Reaction>();
  server.once(path, async (peer, { stream }) => {
    const view = peer.view.stream(stream);
    await peer.reaches(() => view.isOver);
    await peer.send(test.respond(stream));
    if (test.closes) peer.close();
    const isBroken = () => peer.view.goaway !== undefined || view.reset !== undefined;
    if (needsReaction && await peer.reaches(isBroken) && peer.view.goaway) await peer.ended();
    reacted.resolve({ goaway: peer.view.goaway?.reason, reset: view.reset });
  });
  const { method = "GET" } = test;
  const outcome = await subject.ask(method, path);
  const needed = needsReaction && outcome.kind !== undefined;
  const reaction = needed ? await Promise.race([reacted.promise, lastWords(server)]) : {};
  if (!test.allowed.some((verdict) => matches(verdict, outcome, reaction, method))) {
    const found = JSON.stringify({ ...outcome, ...reaction });
    throw new Error(`RFC 9113 ${test.section}: ${found}, and not ${JSON.stringify(test.allowed)}`);
  }
  const clean = `/clean/${count}`;
  const next = await subject.ask("GET", clean);
  if (next.status !== 200 || next.body !== `GET ${clean}`) {
    throw new Error(`the request behind it: ${JSON.stringify(next)}`);
  }
}

/** What the upstream saw of it. */
interface Reaction {
  readonly goaway?: Reason | undefined;
  readonly reset?: Reason | undefined;
}

/** Of a connection that ended before it had a request. */
async function lastWords(server: EvilServer): Promise<Reaction> {
  return { goaway: (await server.lastOver()).view.goaway?.reason };
}

/** Whether a proxy may have asked again: what was never looked at always, what may have been only if that is harmless. */
function mayRetry(retry: Retry, method: string): boolean {
  return retry === "yes" || retry === "if-reused" && method !== "POST";
}

function matches(
  verdict: UpstreamVerdict,
  { status, kind, retry }: UpstreamOutcome,
  { goaway, reset }: Reaction,
  method: string,
): boolean {
  const isKind = (wanted: ErrorKind) => kind === wanted || kind === "cut";
  switch (verdict.is) {
    case "answered":
      return status === verdict.status;
    case "failed":
      if (status !== undefined) return status === 200 && mayRetry(verdict.retry, method);
      if (retry === undefined && verdict.retry === "yes") return false;
      return isKind(verdict.kind) && (retry === undefined || retry === verdict.retry);
    case "connection error":
      return isKind("upstream-protocol") && goaway === verdict.reason;
    case "stream error":
      return isKind("upstream-protocol") && goaway === undefined && reset === verdict.reason;
  }
}
