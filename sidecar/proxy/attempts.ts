// The attempts of one exchange, one after the other, under one deadline and called off together.
import { ProxyError } from "../errors.ts";
import type { ExchangeView } from "../filters/filter.ts";
import { isGrpcRequest } from "../grpc/media_type.ts";
import type { Request, Response } from "../http/message.ts";
import { Backoff } from "../lib/backoff.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Clock } from "../lib/clock.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";
import { Attempt } from "../upstream/attempt.ts";
import type { ClientConnection } from "../upstream/client_connection.ts";
import type { Chosen, ClusterState, Refusal } from "../upstream/cluster_state.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import { GrpcCall } from "./grpc_call.ts";
import { HttpDeadline } from "./http_deadline.ts";
import { ReplayedBody } from "./replayed_body.ts";
import { MAX_ENDPOINTS, refusalOf } from "./refusals.ts";
import { TryTimeout } from "./try_timeout.ts";
import { isUnconnected, mayRepeat, type Replay, retryAfterMs, wantsRetry } from "./retry.ts";

/** Times a request goes out anew because nobody worked on it: proven twice at most, or likely (`if-reused`) once. */
const MAX_REPEATS = { yes: 2, "if-reused": 1, no: 0 } as const;

const NONE: readonly Endpoint[] = [];

export interface AttemptsParts {
  readonly upstreams: Upstreams;
  readonly timeouts: Timeouts;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface AttemptsOptions {
  readonly exchange: ExchangeView;
  /** The exchange's own, or one made on its behalf. */
  readonly request: Request;
  readonly cluster: Cluster;
  /** Until the head of a response; 0: no bound. */
  readonly timeoutMs: number;
  readonly parts: AttemptsParts;
  /** One of two that run beside each other: the first, or the other one's rival. Who wins is told to `hold`. */
  readonly hedge?: "first" | Attempts;
}

export class Attempts {
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
  readonly #state: ClusterState;
  readonly #parts: AttemptsParts;
  readonly #body: ReplayedBody;
  readonly #timeoutMs: number;
  #timeout: { clear(): void } | undefined;
  readonly #call: GrpcCall | undefined;
  readonly #deadline: HttpDeadline | undefined;
  /** The client is still sending what an upstream is to answer. */
  #isUploading = false;
  /** Endpoints to which no connection could be made. */
  #unreachable: readonly Endpoint[] = NONE;
  /** Endpoints that failed otherwise: others come first. */
  #failing: readonly Endpoint[] = NONE;
  #endpoint: Endpoint | undefined;
  #attempt: Attempt | undefined;
  #trace: { failed(reason: string): void } | undefined;
  #repeats = 0;
  #tries = 0;
  #isRetry = false;
  #backoff: Backoff | undefined;
  /** What the last answer asked us to wait. */
  #retryAfterMs = 0;
  readonly #tryTimeout: TryTimeout | undefined;
  readonly #isHedged: boolean;

  constructor({ exchange, request, cluster, timeoutMs, parts, hedge }: AttemptsOptions) {
    this.#exchange = exchange;
    this.#isHedged = hedge !== undefined;
    if (hedge instanceof Attempts && hedge.#endpoint !== undefined) {
      this.#failing = [hedge.#endpoint];
    }
    this.#request = request;
    this.#cluster = cluster;
    this.#state = parts.upstreams.state(cluster);
    this.#parts = parts;
    this.#body = new ReplayedBody(request);
    this.#timeoutMs = timeoutMs;
    exchange.incoming.cancellation.onCancel(this.#callOff);
    // The exchange may be older than a request made on its behalf, and that must not count against the upstream.
    const isOwn = request === exchange.request || hedge === "first";
    const startedAt = isOwn ? exchange.startedAt : parts.clock.now();
    const { clock, timeouts } = parts;
    const isGrpc = isGrpcRequest(request);
    if (!isGrpc) {
      const { listener } = exchange;
      this.#deadline = HttpDeadline.of(request, { listener, startedAt }, cluster, timeoutMs, clock);
      this.#timeoutMs = this.#deadline?.timeoutMs ?? timeoutMs;
      this.#reason ??= this.#deadline?.refusal;
    }
    this.#arm(this.#timeoutMs, startedAt);
    if (isGrpc) {
      this.#call = new GrpcCall(request, startedAt, clock, timeouts, () => this.#expireCall());
    }
    const { perTryTimeoutMs } = cluster.retry ?? {};
    if (perTryTimeoutMs !== undefined) {
      this.#tryTimeout = new TryTimeout(perTryTimeoutMs, parts.timeouts, this.#expireTry);
    }
  }

  /** The first attempt on a kept connection, nearly every one, is made without an async function: 1 KB less (measured). */
  run(): Promise<Response> {
    this.#state.budgetOf(this.#cluster)?.deposit();
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

  /** The answer counts: what it rests on stays to the end of the exchange. */
  hold(): void {
    this.#exchange.hold(this.#attempt!);
  }

  /** The answer does not count. */
  letGo(): void {
    this.#end();
  }

  /** Nobody waits for an answer any more: another one came first. */
  abandon(): void {
    this.#callOff(new ProxyError("downstream-gone", "another attempt won", { side: "local" }));
  }

  #answered = (response: Response): Response | Promise<Response> => {
    this.#judge(response);
    if (!this.#wantsRetry(response)) return this.#finish(response);
    this.#trace?.failed(String(response.status));
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
    if (!this.#isHedged) this.hold();
    return this.#call === undefined ? response : this.#call.accompany(response, this.#attempt!);
  }

  #end(): void {
    this.#timeout?.clear();
    this.#tryTimeout?.clear();
    this.#call?.end();
    this.#attempt?.[Symbol.dispose]();
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
          this.#judge(response);
          if (!this.#wantsRetry(response)) return this.#finish(response);
          this.#trace?.failed(String(response.status));
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

  /** A gRPC answer tells how it went behind its body, unless it has none. */
  #judge(response: Response): void {
    this.#tryTimeout?.clear();
    const attempt = this.#attempt!;
    if (this.#call === undefined) return attempt.answered(response.status);
    const status = response.headers.get("grpc-status");
    if (status === undefined && !response.body.isEnded) attempt.began();
    else attempt.answered(response.status, status);
  }

  /** The pool for another try, or undefined for one by policy. Throws `error` when that was the last. */
  #afterFailure(error: unknown): Pool | undefined {
    this.#tryTimeout?.clear();
    if (!(error instanceof ProxyError)) throw error;
    this.#attempt?.failed(error);
    this.#trace?.failed(error.kind);
    if (this.#reason !== undefined) throw error;
    if (isUnconnected(error)) return this.#choose(error);
    if (mayRepeat(error, this.#replay) && this.#repeats < MAX_REPEATS[error.retry]) {
      this.#repeats++;
      // Once more, and on the same endpoint: it is the connection that went away.
      return this.#again();
    }
    if (this.#wantsRetry(error)) return undefined;
    throw error;
  }

  get #replay(): Replay {
    const { upgrade } = this.#request;
    // What goes through a tunnel is not asked for before it is open.
    const isWhole = upgrade !== undefined || this.#body.bytes() !== undefined;
    return { request: this.#request, isWhole };
  }

  /** Whether policy wants another try after this, and its budget allows one. */
  #wantsRetry(result: Response | ProxyError): boolean {
    const { retry } = this.#cluster;
    // What was repeated without being asked for does not use up what was: an endpoint that dies costs one of each.
    if (retry === undefined || this.#tries - this.#repeats >= retry.attempts) return false;
    if (!wantsRetry(retry, result, this.#replay)) return false;
    this.#retryAfterMs = result instanceof Error ? 0 : retryAfterMs(result);
    if (this.#timeoutMs > 0 && this.#retryAfterMs >= this.#timeoutMs) return false;
    if (!this.#state.mayRetry(this.#cluster)) return false;
    this.#isRetry = true;
    this.#failing = [...this.#failing, this.#endpoint!];
    return true;
  }

  /** Between two attempts by policy. */
  #rest(): Promise<void> {
    const { backoff } = this.#cluster.retry!;
    this.#backoff ??= new Backoff({ ...backoff, random: this.#parts.random });
    const ms = Math.ceil(Math.max(this.#backoff.next(), this.#retryAfterMs));
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
    if (this.#unreachable.length >= MAX_ENDPOINTS) throw failure!;
    const choice = this.#chooseFrom();
    if (choice.kind !== "chosen") throw failure ?? refusalOf(this.#cluster.name, choice);
    this.#endpoint = choice.endpoint;
    this.#take(choice.attempt);
    return this.#pool();
  }

  /** One that has not failed yet; where all have, any that can be reached. */
  #chooseFrom(): Chosen | Refusal {
    const options = { isRetry: this.#isRetry };
    const [state, cluster, exchange] = [this.#state, this.#cluster, this.#exchange];
    if (this.#failing.length > 0) {
      const tried = [...this.#unreachable, ...this.#failing];
      const other = state.choose(cluster, tried, exchange, options);
      if (other.kind !== "no-endpoints") return other;
    }
    return state.choose(cluster, this.#unreachable, exchange, options);
  }

  /** Another attempt at the same endpoint. */
  #again(): Pool {
    const attempt = this.#state.begin(this.#cluster, this.#endpoint!, { isRetry: this.#isRetry });
    if (!(attempt instanceof Attempt)) throw refusalOf(this.#cluster.name, attempt);
    this.#take(attempt);
    return this.#pool();
  }

  #take(attempt: Attempt): void {
    this.#attempt?.[Symbol.dispose]();
    this.#attempt = attempt;
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

  /** This try alone: the exchange may go on with another. */
  #expireTry = (ms: number): void => {
    const error = new ProxyError("deadline", `no response within ${ms} ms of this try`, {
      side: "upstream",
    });
    this.#connection?.abortExchange(this.#turn, error);
  };

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
    this.#deadline?.announce();
    this.#trace = this.#exchange.trace?.attempt(this.#request, pool.name);
    this.#tryTimeout?.arm();
    return connection.send(
      this.#body.copy(),
      (interim) => this.#exchange.incoming.sendInterim(interim),
    );
  }
}

function toUpstreamError(reason: Error): ProxyError {
  if (reason instanceof ProxyError) return reason;
  return new ProxyError("internal", "called off", { side: "local", cause: reason });
}
