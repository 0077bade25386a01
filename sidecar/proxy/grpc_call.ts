// What is special about a gRPC exchange: a deadline for all of it, and failures that are told behind the body.
import { parseGrpcTimeout, serializeGrpcTimeout } from "../grpc/timeout.ts";
import { encodeGrpcMessage, GRPC } from "../grpc/status.ts";
import type { Body } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { Request, Response } from "../http/message.ts";
import type { Clock } from "../lib/clock.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import { grpcStatusOf, toProxyError } from "./rescue.ts";

const TIMEOUT = "grpc-timeout";

/** One call on its way: `grpc-timeout` bounds all of it, not the wait for a head alone. */
export class GrpcCall {
  readonly #request: Request;
  readonly #clock: Clock;
  /** Clock milliseconds; undefined where the caller set none. */
  readonly #deadline: number | undefined;
  #timeout: { clear(): void } | undefined;

  /** `startedAt` is the clock's, when the request came; `onExpired` is called once, when the caller's time is up. */
  constructor(
    request: Request,
    startedAt: number,
    clock: Clock,
    timeouts: Timeouts,
    onExpired: () => void,
  ) {
    this.#request = request;
    this.#clock = clock;
    const text = request.headers.get(TIMEOUT);
    const timeoutMs = text === undefined ? null : parseGrpcTimeout(text);
    if (timeoutMs === null) return;
    this.#deadline = startedAt + timeoutMs;
    this.#timeout = timeouts.after(coarse(timeoutMs), onExpired, startedAt);
  }

  /** What is left of the caller's time goes with the request. */
  announce(): void {
    if (this.#deadline === undefined) return;
    const left = this.#deadline - this.#clock.now();
    this.#request.headers.set(TIMEOUT, serializeGrpcTimeout(left));
  }

  /** The response whose body tells a failure by trailers; the deadline stands until it has ended, and then `attempt` hears how. */
  accompany(response: Response, attempt: Judged): Response {
    if (response.body.isEnded) {
      this.end();
      return response;
    }
    const { status, headers, body } = response;
    const onEnd = (grpcStatus: string | undefined) => attempt.answered(status, grpcStatus);
    return { status, headers, body: new CallBody(body, this, onEnd) };
  }

  end(): void {
    this.#timeout?.clear();
    this.#timeout = undefined;
  }
}

/** What hears how a call went; only the first word counts. */
export interface Judged {
  answered(status: number, grpcStatus: string | undefined): void;
}

/** Clients choose any number of milliseconds, and each length of time has a timer of its own: so 1/16 too late at most. */
function coarse(ms: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(ms, 1))) - 4);
  return Math.ceil(ms / step) * step;
}

/** A body that ends where its sender broke, with trailers that say so: all that a gRPC client understands by then. */
class CallBody implements Body {
  readonly #source: Body;
  readonly #call: GrpcCall;
  readonly #onEnd: (grpcStatus: string | undefined) => void;
  #failure: Fields | undefined;

  /** `onEnd` is told once it came to its end, well or not, but not when nobody wanted the rest. */
  constructor(source: Body, call: GrpcCall, onEnd: (grpcStatus: string | undefined) => void) {
    this.#source = source;
    this.#call = call;
    this.#onEnd = onEnd;
  }

  get length(): undefined {
    return undefined;
  }

  get isEnded(): boolean {
    return this.#failure !== undefined || this.#source.isEnded;
  }

  get trailers(): Fields | undefined {
    return this.#failure ?? this.#source.trailers;
  }

  take(): Uint8Array | null | undefined {
    if (this.#failure !== undefined) return null;
    try {
      const bytes = this.#source.take();
      if (bytes === null) this.#end();
      return bytes;
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  whole(): Uint8Array | undefined {
    const whole = this.#failure === undefined ? this.#source.whole() : undefined;
    if (whole !== undefined) this.#end();
    return whole;
  }

  #end(): void {
    this.#call.end();
    this.#onEnd(this.#source.trailers?.get("grpc-status"));
  }

  pull(): Promise<void> {
    if (this.#failure !== undefined) return Promise.resolve();
    return this.#source.pull().catch((error) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#call.end();
    const { code, message } = grpcStatusOf(error);
    const trailers = new FieldList();
    trailers.append("grpc-status", String(code));
    trailers.append("grpc-message", encodeGrpcMessage(message));
    this.#failure = trailers;
    if (toProxyError(error).side === "upstream") this.#onEnd(String(code));
    this.#source.cancel();
  }

  cancel(): void {
    this.#call.end();
    this.#source.cancel();
  }
}

/** Whether an answer says that the call never ran, or might as well not have: UNAVAILABLE before any message. */
export function isUnavailable(response: Response): boolean {
  return response.headers.get("grpc-status") === String(GRPC.UNAVAILABLE);
}
