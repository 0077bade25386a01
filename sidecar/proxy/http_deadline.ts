// How long a caller will still wait, told from hop to hop, so that nobody works for who has given up: what `grpc-timeout` is to gRPC.
// An app that passes the field on in its own calls bounds these as well.
import { ProxyError } from "../errors.ts";
import type { ExchangeView } from "../filters/filter.ts";
import type { Request } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Cluster } from "../snapshot/snapshot.ts";

/** Milliseconds that are left, in digits. */
export const TIMEOUT_FIELD = "x-mesh-timeout-ms";

export class HttpDeadline {
  /** The least of what policy allows and what the caller has left; 0: no bound. */
  readonly timeoutMs: number;
  readonly #request: Request;
  readonly #until: number;
  /** The caller has said so. */
  readonly #isAsked: boolean;
  readonly #clock: Clock;

  private constructor(
    request: Request,
    timeoutMs: number,
    { until, isAsked }: { readonly until: number; readonly isAsked: boolean },
    clock: Clock,
  ) {
    this.timeoutMs = timeoutMs;
    this.#request = request;
    this.#until = until;
    this.#isAsked = isAsked;
    this.#clock = clock;
  }

  /** Undefined where nobody has said, nor is it ours to say: an edge begins what others pass on. */
  static of(
    request: Request,
    { listener, startedAt }: Pick<ExchangeView, "listener" | "startedAt">,
    cluster: Cluster,
    timeoutMs: number,
    clock: Clock,
  ): HttpDeadline | undefined {
    const text = request.headers.get(TIMEOUT_FIELD);
    const left = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
    if (left === undefined) {
      const isOurs = listener === "edge" && timeoutMs > 0 && (cluster.tls ?? "mesh") === "mesh";
      if (!isOurs || request.upgrade !== undefined) return undefined;
      const own = { until: startedAt + timeoutMs, isAsked: false };
      return new HttpDeadline(request, timeoutMs, own, clock);
    }
    const least = timeoutMs > 0 ? Math.min(timeoutMs, left) : left;
    return new HttpDeadline(request, least, { until: startedAt + least, isAsked: true }, clock);
  }

  /** Why the request need not be sent at all; undefined where it is in time. */
  get refusal(): ProxyError | undefined {
    if (!this.#isAsked || this.#clock.now() < this.#until) return undefined;
    const message = "the caller's time was up before the request was sent";
    return new ProxyError("deadline", message, { side: "downstream" });
  }

  /** What is left goes with the request. */
  announce(): void {
    const left = Math.max(1, Math.floor(this.#until - this.#clock.now()));
    this.#request.headers.set(TIMEOUT_FIELD, String(left));
  }
}
