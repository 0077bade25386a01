// Which outcomes of an attempt are failures, for whoever counts them.
import { GRPC } from "../grpc/status.ts";
import type { ProxyError } from "../errors.ts";
import type { FailureKind, GrpcFailure } from "../snapshot/resilience_settings.ts";

/** Statuses that say that the service is at fault, where nobody says which. */
const OF_THE_SERVICE: readonly GrpcFailure[] = [
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
];

/** What becomes of an attempt that no answer ended. */
export type Breakage = "connect" | "reset" | "timeout";

/** Undefined for what is nobody's fault upstream: the client left, a limit of ours. */
export function breakageOf({ kind }: ProxyError): Breakage | undefined {
  switch (kind) {
    case "connect-failed":
    case "connect-timeout":
    case "untrusted-upstream":
      return "connect";
    case "upstream-reset":
    case "upstream-protocol":
      return "reset";
    case "deadline":
      return "timeout";
    default:
      return undefined;
  }
}

/** Kinds of failure made into questions that cost nothing to ask. */
export class Failures {
  readonly #breakages: ReadonlySet<string>;
  readonly #grpc: ReadonlySet<number>;
  readonly #leastStatus: number;
  readonly #mostStatus: number;

  constructor(kinds: readonly FailureKind[]) {
    this.#breakages = new Set(kinds);
    const codes = kinds.includes("grpc") ? [...OF_THE_SERVICE, ...kinds] : kinds;
    this.#grpc = new Set(
      codes.flatMap((name) => name in GRPC ? [GRPC[name as keyof typeof GRPC]] : []),
    );
    const isAll = kinds.includes("5xx");
    this.#leastStatus = isAll ? 500 : kinds.includes("gateway-error") ? 502 : Infinity;
    this.#mostStatus = isAll ? 599 : 504;
  }

  hasBreakage(breakage: Breakage): boolean {
    return this.#breakages.has(breakage);
  }

  hasStatus(status: number): boolean {
    return status >= this.#leastStatus && status <= this.#mostStatus;
  }

  hasGrpc(code: number): boolean {
    return code !== 0 && this.#grpc.has(code);
  }
}

/** What counts against an endpoint whatever the policy says of its cluster. */
export const ENDPOINT_ERRORS = new Failures([
  "connect",
  "reset",
  "timeout",
  "gateway-error",
  "UNAVAILABLE",
]);
