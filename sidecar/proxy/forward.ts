// One exchange with an upstream: attempts, their deadline, and who hears of it when it is called off.
import { ProxyError } from "../errors.ts";
import { isGrpcRequest } from "../grpc/media_type.ts";
import type { ExchangeView } from "../filters/filter.ts";
import { BytesBody } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import { Backoff } from "../lib/backoff.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";
import type { ClientConnection } from "../upstream/client_connection.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import { GrpcCall } from "./grpc_call.ts";
import { RecordedBody } from "./recorded_body.ts";
import { isRepeatable, isUnconnected, mayRepeat, type Replay, wantsRetry } from "./retry.ts";

/** Endpoints tried when no connection can be made: nothing was sent, so another one is safe, but not without end. */
export const MAX_ENDPOINTS = 3;

/** Times a request goes out anew because nobody worked on it: proven twice at most, or likely (`if-reused`) once. */
const MAX_REPEATS = { yes: 2, "if-reused": 1, no: 0 } as const;

/** Shorter bodies are copied into the out buffer anyway. */
const COPIED_BYTES = 16384;

const NONE: readonly Endpoint[] = [];

export interface ForwarderParts {
  readonly upstreams: Upstreams;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class Forwarder {
  readonly #parts: ForwarderParts;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  /**
   * Sends the request to an endpoint of `cluster`; the response's body is still to come. `timeoutMs` bounds the wait
   * for the response head once the request was sent (0: no bound); a body may stream as long as it moves.
   * `request` is the exchange's own, or one made on its behalf. Throws ProxyError.
   */
  forward(
    exchange: ExchangeView,
    cluster: Cluster,
    timeoutMs: number,
    request: Request = exchange.request,
  ): Promise<Response> {
    if (cluster.protocol === "tcp") return Promise.reject(notHttp(cluster.name));
    return new Attempts(exchange, request, cluster, timeoutMs, this.#parts).run();
  }
}

/** The attempts of one exchange, one after the other, under one deadline and called off together. */
class Attempts {
  /** Made when something has to be waited for. */
  #waiting: Cancellation | undefined;
  /** Why the exchange was called off. */
  #reason: Error | undefined;
  #connection: ClientConnection | undefined;
  /** Which of the connection's exchanges is ours: it may serve others afterwards. */
  #turn = 0;
  readonly #exchange: ExchangeView;
  readonly #request: Request;
  readonly #cluster: Cluster;
  readonly #parts: ForwarderParts;
  /** The whole request body, where it was there at once and may be sent again. */
  readonly #whole: Uint8Array | undefined;
  /** A body that is still to come: many clients of gRPC send head and message in two writes. */
  readonly #recording: RecordedBody | undefined;
  readonly #timeoutMs: number;
  #timeout: { clear(): void } | undefined;
  readonly #call: GrpcCall | undefined;
  /** The client is still sending what an upstream is to answer. */
  #isUploading = false;
  /** Endpoints to which no connection could be made. */
  #unreachable: readonly Endpoint[] = NONE;
  #endpoint: Endpoint | undefined;
  #repeats = 0;
  #tries = 0;
  #backoff: Backoff | undefined;

  constructor(
    exchange: ExchangeView,
    request: Request,
    cluster: Cluster,
    timeoutMs: number,
    parts: ForwarderParts,
  ) {
    this.#exchange = exchange;
    this.#request = request;
    this.#cluster = cluster;
    this.#parts = parts;
    this.#whole = request.body.whole();
    if (this.#whole === undefined && isRepeatable(request)) {
      this.#recording = new RecordedBody(request.body);
    }
    this.#timeoutMs = timeoutMs;
    exchange.incoming.cancellation.onCancel(this.#callOff);
    // The exchange may be older than a request made on its behalf, and that must not count against the upstream.
    const startedAt = request === exchange.request ? exchange.startedAt : parts.clock.now();
    this.#arm(timeoutMs, startedAt);
    if (isGrpcRequest(request)) {
      const { clock, timeouts } = parts;
      this.#call = new GrpcCall(request, startedAt, clock, timeouts, () => this.#expireCall());
    }
  }

  /** The first attempt on a kept connection, nearly every one, is made without an async function: 1 KB less (measured). */
  run(): Promise<Response> {
    this.#parts.upstreams.budget(this.#cluster)?.deposit();
    try {
      const pool = this.#choose();
      const connection = pool.take();
      if (connection === undefined) return this.#goOn(pool);
      return this.#send(connection, pool).then(this.#answered, this.#failed);
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
  }

  #answered = (response: Response): Response | Promise<Response> => {
    if (!this.#wantsRetry(response)) return this.#finish(response);
    response.body.cancel();
    return this.#goOn(undefined);
  };

  #failed = (error: unknown): Promise<Response> => {
    try {
      return this.#goOn(this.#afterFailure(error));
    } catch (final) {
      this.#end();
      throw final;
    }
  };

  #finish(response: Response): Response {
    this.#timeout?.clear();
    return this.#call === undefined ? response : this.#call.accompany(response);
  }

  #end(): void {
    this.#timeout?.clear();
    this.#call?.end();
  }

  /** Every attempt behind the first; without a `pool`, it is a retry that policy asked for. */
  async #goOn(pool: Pool | undefined): Promise<Response> {
    try {
      for (;;) {
        try {
          if (pool === undefined) {
            await this.#rest();
            pool = this.#choose();
          }
          const connection = await this.#connect(pool);
          // One that was waited for may have been closed by its peer since it was handed over.
          if (!connection.isUsable) {
            pool.giveBack(connection);
            continue;
          }
          const response = await this.#send(connection, pool);
          if (!this.#wantsRetry(response)) return this.#finish(response);
          response.body.cancel();
          pool = undefined;
        } catch (error) {
          pool = this.#afterFailure(error);
        }
      }
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** The pool for another try, or undefined for one by policy. Throws `error` when that was the last. */
  #afterFailure(error: unknown): Pool | undefined {
    if (!(error instanceof ProxyError) || this.#reason !== undefined) throw error;
    if (isUnconnected(error)) return this.#choose(error);
    if (mayRepeat(error, this.#replay) && this.#repeats < MAX_REPEATS[error.retry]) {
      this.#repeats++;
      // Once more, and on the same endpoint: it is the connection that went away.
      return this.#pool();
    }
    if (this.#wantsRetry(error)) return undefined;
    throw error;
  }

  get #replay(): Replay {
    const { upgrade } = this.#request;
    // What goes through a tunnel is not asked for before it is open.
    const bytes = this.#whole ?? this.#recording?.recorded();
    return { request: this.#request, isWhole: bytes !== undefined || upgrade !== undefined };
  }

  /** Whether policy wants another try after this, and its budget allows one. */
  #wantsRetry(result: Response | ProxyError): boolean {
    const { retry } = this.#cluster;
    // What was repeated without being asked for does not use up what was: an endpoint that dies costs one of each.
    if (retry === undefined || this.#tries - this.#repeats >= retry.attempts) return false;
    if (!wantsRetry(retry, result, this.#replay)) return false;
    return this.#parts.upstreams.budget(this.#cluster)!.withdraw();
  }

  /** Between two attempts by policy. */
  #rest(): Promise<void> {
    const { backoff } = this.#cluster.retry!;
    this.#backoff ??= new Backoff({ ...backoff, random: this.#parts.random });
    const ms = Math.ceil(this.#backoff.next());
    return new Promise((resolve, reject) => {
      const timeout = this.#parts.timeouts.after(ms, resolve);
      this.#cancellation().onCancel((reason) => {
        timeout.clear();
        reject(reason);
      });
    });
  }

  /** The pool of the next endpoint. Throws `failure` when there is no other, or why there is none at all. */
  #choose(failure?: ProxyError): Pool {
    if (failure !== undefined) this.#unreachable = [...this.#unreachable, this.#endpoint!];
    const isEnough = this.#unreachable.length >= MAX_ENDPOINTS;
    const picker = this.#parts.upstreams.picker(this.#cluster);
    const endpoint = isEnough ? undefined : picker.pick(this.#unreachable);
    if (endpoint === undefined) throw failure ?? noEndpoints(this.#cluster.name);
    this.#endpoint = endpoint;
    return this.#pool();
  }

  #pool(): Pool {
    const pool = this.#parts.upstreams.pool(this.#cluster, this.#endpoint!, this.#request);
    this.#exchange.endpoint = pool.name;
    return pool;
  }

  /** A kept connection that failed is not followed by another kept one: those may be as old. */
  #connect(pool: Pool): ClientConnection | Promise<ClientConnection> {
    const kept = this.#repeats === 0 ? pool.take() : undefined;
    return kept ?? pool.connect(this.#cancellation());
  }

  #cancellation(): Cancellation {
    this.#waiting ??= new Cancellation();
    if (this.#reason !== undefined) this.#waiting.cancel(this.#reason);
    return this.#waiting;
  }

  #callOff = (reason: Error): void => {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#waiting?.cancel(reason);
    this.#connection?.abortExchange(this.#turn, toUpstreamError(reason));
  };

  #arm(ms: number, nowMs?: number): void {
    this.#timeout?.clear();
    if (ms > 0) this.#timeout = this.#parts.timeouts.after(ms, this.#expire, nowMs);
  }

  /** The upstream's time begins when it has all of the request: looks now and then, so late by a quarter at most. */
  #watchUpload(): void {
    this.#isUploading = true;
    this.#arm(this.#timeoutMs / 4);
  }

  #expire = (): void => {
    if (this.#isUploading) {
      this.#isUploading = !this.#request.body.isEnded;
      return this.#arm(this.#isUploading ? this.#timeoutMs / 4 : this.#timeoutMs);
    }
    this.#callOff(
      new ProxyError("deadline", `no response within ${this.#timeoutMs} ms`, { side: "upstream" }),
    );
  };

  #expireCall(): void {
    this.#callOff(
      new ProxyError("deadline", "the caller's deadline (grpc-timeout) has passed", {
        side: "upstream",
      }),
    );
  }

  /** Resolves with the response head; until its body ends a cancellation still cuts it. */
  #send(connection: ClientConnection, pool: Pool): Promise<Response> {
    if (this.#reason !== undefined) {
      pool.giveBack(connection);
      throw this.#reason;
    }
    this.#exchange.attempts++;
    this.#tries++;
    if (!this.#request.body.isEnded && this.#request.upgrade === undefined) this.#watchUpload();
    this.#connection = connection;
    this.#turn = connection.nextTurn;
    this.#call?.announce();
    return connection.send(
      this.#copy(),
      (interim) => this.#exchange.incoming.sendInterim(interim),
    );
  }

  /** The request with a body of its own: one attempt must not use up another's. */
  #copy(): Request {
    const whole = this.#whole ?? this.#recording?.recorded();
    if (whole === undefined && this.#recording !== undefined) {
      return { ...this.#request, body: this.#recording };
    }
    if (whole === undefined || whole.length === 0) return this.#request;
    // A long one is written as it is, and a write that is cut stays under way in the runtime: its bytes must be its own.
    const bytes = whole.length < COPIED_BYTES ? whole : whole.slice();
    return { ...this.#request, body: new BytesBody(bytes) };
  }
}

function toUpstreamError(reason: Error): ProxyError {
  if (reason instanceof ProxyError) return reason;
  return new ProxyError("internal", "called off", { side: "local", cause: reason });
}

function notHttp(service: string): ProxyError {
  return new ProxyError(
    "not-implemented",
    `${service} is raw TCP: connect to the port that policy dedicates to it (upstreams.${service}.bind)`,
    { side: "downstream" },
  );
}

/** The error whose words the seed wrote. */
export function noEndpoints(service: string): ProxyError {
  return new ProxyError(
    "no-endpoints",
    `service unavailable: no healthy instances found for service: ${service}`,
    { side: "upstream" },
  );
}
