// What a client's frames and their verdict are, as data. A case that allows several verdicts says which words of the RFC
// leave it open.
import type { Reason, Setting } from "./frames.ts";
import type { View } from "./view.ts";

export type Verdict =
  /** GOAWAY with this reason, and the connection is closed (RFC 9113 5.4.1). */
  | { readonly is: "connection error"; readonly reason: Reason }
  /** RST_STREAM with this reason; the connection goes on (5.4.2). */
  | { readonly is: "stream error"; readonly reason: Reason; readonly stream: number }
  /** A whole response, perhaps behind it RST_STREAM(NO_ERROR) (8.1); the connection goes on. */
  | { readonly is: "answered"; readonly status: string; readonly stream: number }
  /** The connection goes on and no stream was reset. */
  | { readonly is: "ignored" }
  /** The connection is closed, with or without a word. */
  | { readonly is: "closed" };

/** Bytes to send, also such as depend on what the server said, or what to wait for before more is sent. */
export type Step =
  | Uint8Array
  | ((view: View) => Uint8Array)
  /** Until the stream is ended or reset. */
  | { readonly over: number }
  /** Until the response's head is there. */
  | { readonly head: number };

export interface H2Case {
  readonly name: string;
  readonly section: string;
  /** The client's own. */
  readonly settings?: readonly Setting[];
  /** The steps begin with the connection's first byte; otherwise behind both sides' settings. */
  readonly isRaw?: boolean;
  readonly steps: readonly Step[];
  /** Any of these will do. */
  readonly allowed: readonly Verdict[];
  /** Why there is more than one. */
  readonly why?: string;
  /** Its paths below /hold must reach a handler that reads nothing: an application behind a socket always takes some. */
  readonly needsHold?: boolean;
  /** What makes it malformed comes behind what looked whole, and may have been forwarded as such. */
  readonly isLate?: boolean;
}

type Make = (section: string, name: string, ...steps: readonly Step[]) => H2Case;

function allowing(allowed: readonly Verdict[], why?: string): Make {
  const reason = why === undefined ? {} : { why };
  return (section, name, ...steps) => ({ name, section, steps, allowed, ...reason });
}

export function connectionError(reason: Reason): Verdict {
  return { is: "connection error", reason };
}

/** Cases name their stream 1 unless there is a reason not to. */
export function streamError(reason: Reason, stream = 1): Verdict {
  return { is: "stream error", reason, stream };
}

export function answered(status: string, stream = 1): Verdict {
  return { is: "answered", status, stream };
}

export const IGNORED: Verdict = { is: "ignored" };
export const CLOSED: Verdict = { is: "closed" };

/** The connection must end with this reason. */
export function breaks(reason: Reason): Make {
  return allowing([connectionError(reason)]);
}

/** The stream must end with this reason, and only the stream. */
export function resets(reason: Reason, stream = 1): Make {
  return allowing([streamError(reason, stream)]);
}

/** Nothing may come of it. */
export const ignores: Make = allowing([IGNORED]);

/** Stream 1 is answered 200. */
export const answers: Make = allowing([answered("200")]);

/** Several verdicts are right, for the reason given. */
export function either(why: string, ...allowed: readonly Verdict[]): Make {
  return allowing(allowed, why);
}

/** A malformed request (RFC 9113 8.1.1): a stream error, before which a server may answer 400. */
export const malformed: Make = either(
  "8.1.1: a server MAY send a response before it resets the stream",
  streamError("PROTOCOL_ERROR"),
  answered("400"),
);

export function formatVerdict(verdict: Verdict): string {
  if (verdict.is === "connection error") return `connection error ${verdict.reason}`;
  if (verdict.is === "stream error") return `stream ${verdict.stream} reset ${verdict.reason}`;
  if (verdict.is === "answered") return `stream ${verdict.stream} answered ${verdict.status}`;
  return verdict.is;
}
