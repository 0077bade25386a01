// One exchange with an upstream: attempts, their deadline, and who hears of it when it is called off.
import { ProxyError } from "../errors.ts";
import type { ExchangeView } from "../filters/filter.ts";
import { BytesBody } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import type { Http1ClientConnection } from "../http1/client_connection.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { Timeouts } from "../lib/timeouts.ts";
import type { Cluster, Endpoint } from "../snapshot/snapshot.ts";
import type { Picker } from "../upstream/balancer/round_robin.ts";
import type { Pool } from "../upstream/pool.ts";
import type { Upstreams } from "../upstream/upstreams.ts";

/** Endpoints tried when no connection can be made: nothing was sent, so another one is safe, but not without end. */
const MAX_ENDPOINTS = 3;

/** Shorter bodies are copied into the out buffer anyway. */
const COPIED_BYTES = 16384;

const NONE: readonly Endpoint[] = [];

/** Methods that may be sent twice (RFC 9110 9.2.2); an idempotency key makes any other so. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
]);

export class Forwarder {
  readonly #upstreams: Upstreams;
  readonly #timeouts: Timeouts;

  constructor(upstreams: Upstreams, timeouts: Timeouts) {
    this.#upstreams = upstreams;
    this.#timeouts = timeouts;
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
    return new Attempts(exchange, request, cluster, timeoutMs, this.#upstreams, this.#timeouts)
      .run();
  }
}

/** The attempts of one exchange, one after the other, under one deadline and called off together. */
class Attempts {
  /** Made when a connection has to be waited for. */
  #waiting: Cancellation | undefined;
  /** Why the exchange was called off. */
  #reason: Error | undefined;
  #connection: Http1ClientConnection | undefined;
  /** Which of the connection's exchanges is ours: it may serve others afterwards. */
  #turn = 0;
  readonly #exchange: ExchangeView;
  readonly #incoming: ExchangeView["incoming"];
  readonly #request: Request;
  readonly #cluster: Cluster;
  readonly #picker: Picker;
  readonly #upstreams: Upstreams;
  /** The whole request body, where it was there at once and may be sent again. */
  readonly #whole: Uint8Array | undefined;
  readonly #timeoutMs: number;
  readonly #timeouts: Timeouts;
  #timeout: { clear(): void } | undefined;
  /** The client is still sending what an upstream is to answer. */
  #isUploading = false;
  /** Endpoints to which no connection could be made. */
  #unreachable: readonly Endpoint[] = NONE;
  #endpoint: Endpoint | undefined;
  #isRepeated = false;

  constructor(
    exchange: ExchangeView,
    request: Request,
    cluster: Cluster,
    timeoutMs: number,
    upstreams: Upstreams,
    timeouts: Timeouts,
  ) {
    this.#exchange = exchange;
    this.#incoming = exchange.incoming;
    this.#request = request;
    this.#cluster = cluster;
    this.#picker = upstreams.picker(cluster);
    this.#upstreams = upstreams;
    this.#whole = request.body.whole();
    this.#timeoutMs = timeoutMs;
    this.#timeouts = timeouts;
    this.#incoming.cancellation.onCancel(this.#callOff);
    // The exchange may be older than a request made on its behalf, and that must not count against the upstream.
    this.#arm(timeoutMs, request === exchange.request ? exchange.startedAt : undefined);
  }

  /** The first attempt on a kept connection, nearly every one, is made without an async function: 1 KB less (measured). */
  run(): Promise<Response> {
    try {
      const pool = this.#choose();
      const idle = pool.takeIdle();
      if (idle === undefined) return this.#goOn(pool);
      return this.#send(idle).then(this.#done, (error) => this.#afterFailure(error, pool));
    } catch (error) {
      this.#timeout?.clear();
      return Promise.reject(error);
    }
  }

  #done = (response: Response): Response => {
    this.#timeout?.clear();
    return response;
  };

  #afterFailure(error: unknown, pool: Pool): Promise<Response> {
    if (this.#isWorthAnother(error)) {
      return this.#goOn(error.retry === "yes" ? this.#choose(error) : pool, error.retry === "yes");
    }
    this.#timeout?.clear();
    throw error;
  }

  async #goOn(pool: Pool, mayBeIdle = false): Promise<Response> {
    try {
      let connection = mayBeIdle ? pool.takeIdle() : undefined;
      for (;;) {
        try {
          connection ??= await this.#connect(pool);
          // One that was waited for may have been closed by its peer since it was handed over.
          if (connection.isUsable) return await this.#send(connection);
          connection.close();
        } catch (error) {
          if (!this.#isWorthAnother(error)) throw error;
          if (error.retry === "yes") {
            pool = this.#choose(error);
            connection = pool.takeIdle();
            continue;
          }
        }
        connection = undefined;
      }
    } finally {
      this.#timeout?.clear();
    }
  }

  /** The pool of the next endpoint. Throws `failure` when there is no other, or why there is none at all. */
  #choose(failure?: ProxyError): Pool {
    if (failure !== undefined) this.#unreachable = [...this.#unreachable, this.#endpoint!];
    const isEnough = this.#unreachable.length >= MAX_ENDPOINTS;
    const endpoint = isEnough ? undefined : this.#picker.pick(this.#unreachable);
    if (endpoint === undefined) throw failure ?? noEndpoints(this.#cluster.name);
    this.#endpoint = endpoint;
    const pool = this.#upstreams.pool(this.#cluster, endpoint);
    this.#exchange.endpoint = pool.name;
    return pool;
  }

  /** Nothing was sent, or the upstream closed a kept connection just as the request came: then once more. */
  #isWorthAnother(error: unknown): error is ProxyError {
    if (!(error instanceof ProxyError)) return false;
    if (error.retry !== "if-reused") return error.retry === "yes";
    if (this.#isRepeated || !this.#canReplay) return false;
    this.#isRepeated = true;
    return true;
  }

  get #canReplay(): boolean {
    if (this.#whole === undefined) return false;
    return IDEMPOTENT.has(this.#request.method) || this.#request.headers.has("idempotency-key");
  }

  #connect(pool: Pool): Promise<Http1ClientConnection> {
    this.#waiting ??= new Cancellation();
    if (this.#reason !== undefined) this.#waiting.cancel(this.#reason);
    return pool.connect(this.#waiting);
  }

  #callOff = (reason: Error): void => {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#waiting?.cancel(reason);
    this.#connection?.abortExchange(this.#turn, toUpstreamError(reason));
  };

  #arm(ms: number, nowMs?: number): void {
    this.#timeout?.clear();
    if (ms > 0) this.#timeout = this.#timeouts.after(ms, this.#expire, nowMs);
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

  /** Resolves with the response head; until its body ends a cancellation still cuts it. */
  #send(connection: Http1ClientConnection): Promise<Response> {
    if (this.#reason !== undefined) {
      connection.close();
      throw this.#reason;
    }
    this.#exchange.attempts++;
    if (!this.#request.body.isEnded) this.#watchUpload();
    this.#connection = connection;
    this.#turn = connection.exchanges + 1;
    return connection.send(this.#copy(), (interim) => this.#incoming.sendInterim(interim));
  }

  /** The request with a body of its own: one attempt must not use up another's. */
  #copy(): Request {
    const whole = this.#whole;
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

/** The error whose words the seed wrote. */
export function noEndpoints(service: string): ProxyError {
  return new ProxyError(
    "no-endpoints",
    `service unavailable: no healthy instances found for service: ${service}`,
    { side: "upstream" },
  );
}
