// The server side of one HTTP/1.1 connection (RFC 9112 9): requests in, responses out, in order, one at a time.
import { ProxyError } from "../errors.ts";
import { EMPTY_BODY } from "../http/body.ts";
import type { Handler, Interim, Response } from "../http/message.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import type { Sweepable } from "../lib/sweeper.ts";
import type { Transport } from "../net/transport.ts";
import { type Progress, writeBody } from "./body_writer.ts";
import { HeadParser } from "./head_parser.ts";
import { Inbox, type Received } from "./inbox.ts";
import type { HeadLimits } from "./limits.ts";
import { linger } from "./linger.ts";
import { readRequestHead, type RequestHead } from "./request_head.ts";
import { writeInterim, writeResponseHead, writeSwitch } from "./serialize.ts";
import { ServerExchange, toRequest } from "./server_exchange.ts";
import { TunnelBody } from "./tunnel_body.ts";
import { acceptWebSocket } from "./websocket.ts";
import { wireBody, type WireBodyOptions } from "./wire_body.ts";

export interface ServerLimits extends HeadLimits {
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** A tunnel may be silent in both directions this long. */
  readonly tunnelIdleTimeoutMs: number;
}

/*
 *  idle --first byte--> head --whole--> exchange --response out--> idle
 *    '--- end, idle timeout or drain --> closed <-- lingering <-- error, timeout, unread body ---'
 */
type State = "idle" | "head" | "exchange" | "lingering" | "closed";

/** How long a peer may still be sending after our last word. */
const LINGER_MS = 2000;

/** Serves one connection until either side ends it. */
export class Http1ServerConnection implements Sweepable, Progress {
  /** Bytes of body written in the exchange under way. */
  bodyBytes = 0;
  readonly #transport: Transport;
  readonly #handler: Handler;
  readonly #limits: ServerLimits;
  readonly #scheme: "http" | "https";
  readonly #inbox: Inbox;
  readonly #parser: HeadParser;
  readonly #out = new ByteWriter(1024);
  readonly #bodyOptions: WireBodyOptions;
  #state: State = "idle";
  #isDraining = false;
  #current: ServerExchange | undefined;
  /** Informational responses on their way; the response waits for them. */
  #interims: Promise<void> | undefined;
  /** Goes up whenever something happens that proves the peer alive; a sweep compares. */
  #ticks = 0;
  #seenTicks = -1;
  #quietSince = 0;

  /** `received` is what was read of the connection already. */
  constructor(
    transport: Transport,
    handler: Handler,
    limits: ServerLimits,
    received?: Received,
    scheme: "http" | "https" = "http",
  ) {
    this.#transport = transport;
    this.#handler = handler;
    this.#limits = limits;
    this.#scheme = scheme;
    this.#inbox = new Inbox(transport, () => this.#peerEnded(), undefined, received);
    this.#parser = new HeadParser("request", "downstream", limits);
    // Reading ahead is how a client that goes away is noticed.
    const onEnd = (isComplete: boolean): void => void (isComplete && this.#inbox.fill());
    this.#bodyOptions = { side: "downstream", limits, onEnd };
  }

  get isIdle(): boolean {
    return this.#state === "idle" && this.#inbox.available === 0;
  }

  /** Resolves when the connection is closed. Never rejects. */
  async serve(): Promise<void> {
    try {
      do {
        this.#awaitRequest();
        while (!this.#hasHead()) {
          if (!this.#mayRead()) return;
          await this.#inbox.fill();
        }
        const exchange = this.#begin(readRequestHead(this.#parser));
        const answer = this.#handler.handle(exchange);
        const response = answer instanceof Promise ? await answer : answer;
        let failure: unknown;
        try {
          await this.#respond(exchange, response);
        } catch (error) {
          failure = error;
        }
        this.#finish(exchange, response, failure);
      } while (this.#state === "exchange");
      if (this.#state === "lingering") await linger(this.#transport, this.#inbox);
    } catch (error) {
      await this.#refuse(error);
    } finally {
      this.#close(gone("the connection was closed"));
    }
  }

  /** Lets the exchange under way finish and then closes; an idle connection closes now. */
  drain(): void {
    this.#isDraining = true;
    if (this.isIdle) this.#close(gone("the connection was idle when it was drained"));
  }

  /** Cuts the connection; what is under way is cancelled. */
  abort(): void {
    this.#close(
      new ProxyError("draining", "the connection was cut by shutdown", { side: "local" }),
    );
  }

  /** Progress: called when bytes moved. */
  touch(): void {
    this.#ticks++;
  }

  sweep(nowMs: number): void {
    const ticks = this.#ticks + (this.#current?.body?.pulls ?? 0);
    if (ticks !== this.#seenTicks) {
      this.#seenTicks = ticks;
      this.#quietSince = nowMs;
      return;
    }
    const { headTimeoutMs, idleTimeoutMs } = this.#limits;
    const quietMs = nowMs - this.#quietSince;
    if (this.#state === "idle" && quietMs >= idleTimeoutMs) {
      this.#close(gone("the connection was idle for too long"));
    } else if (this.#state === "head" && quietMs >= headTimeoutMs) this.#expireHead();
    else if (this.#state === "exchange" && quietMs >= this.#patience()) this.#expireExchange();
    else if (this.#state === "lingering" && quietMs >= Math.min(LINGER_MS, idleTimeoutMs)) {
      this.#transport.close();
    }
  }

  #enter(state: State): void {
    if (this.#state === "closed") return;
    this.#state = state;
    this.#ticks++;
  }

  /** How long an exchange may stand still. */
  #patience(): number {
    const { idleTimeoutMs, tunnelIdleTimeoutMs } = this.#limits;
    return this.#current?.isTunnel ? tunnelIdleTimeoutMs : idleTimeoutMs;
  }

  /** The whole head must be there in time: a byte now and then does not help (slowloris). */
  #expireHead(): void {
    const error = new ProxyError("request-timeout", "the head did not arrive in time", {
      side: "downstream",
    });
    const response = this.#handler.refuse(error, this.#transport.peer);
    writeResponseHead(this.#out, response, { method: "GET", version: "1.1", keepAlive: false });
    const bytes = response.body.take();
    if (bytes) this.#out.copy(bytes);
    this.#enter("lingering");
    this.#transport.write(this.#out.view()).catch(() => {}).finally(() => this.#transport.close());
  }

  /** Only a peer that we wait for can be too slow; waiting for the upstream has timeouts of its own. */
  #expireExchange(): void {
    if (this.#transport.isWriting) return this.#close(gone("the client stopped reading"));
    if (!this.#current?.body?.isWaiting) return;
    const { cancellation } = this.#current;
    // A handler that was told and still waits for the body knows no other end than that of the connection.
    if (cancellation.isCancelled) return this.#close(gone("the request body stalled"));
    const what = this.#current.isTunnel ? "the tunnel lay idle" : "the request body stalled";
    cancellation.cancel(new ProxyError("request-timeout", what, { side: "downstream" }));
  }

  /** False when the connection is over: nothing more comes, or nothing more is wanted. */
  #mayRead(): boolean {
    const inbox = this.#inbox;
    if (this.#state === "lingering" || this.#state === "closed") return false;
    return !inbox.isEnded && !(this.#isDraining && inbox.available === 0);
  }

  #hasHead(): boolean {
    const inbox = this.#inbox;
    // A request that was read just as the connection closed is nobody's: it could not be answered.
    if (inbox.available === 0 || this.#state === "closed") return false;
    if (this.#state === "idle") this.#enter("head");
    return this.#parser.parse(inbox.bytes, inbox.start, inbox.end);
  }

  #awaitRequest(): void {
    this.#inbox.release();
    this.#parser.reset();
    this.#enter("idle");
  }

  /** Ends an exchange; what the connection does next is its state: go on, linger or close. */
  #finish(exchange: ServerExchange, response: Response, failure: unknown): void {
    let error: Error | undefined;
    if (failure !== undefined) {
      // A response that broke half-way must not look whole: the connection ends without the last chunk.
      error = exchange.cancellation.reason ?? toError(failure);
      response.body.cancel();
      exchange.tunnel?.end();
    }
    this.#current = undefined;
    // The pulls stay counted: a sum that came back to an old value would look like silence.
    this.#ticks += exchange.body?.pulls ?? 0;
    this.#handler.finished(exchange, {
      bodyBytes: this.bodyBytes,
      error: error ?? exchange.failure,
    });
    if (error !== undefined) return this.#close(gone("the exchange broke"));
    if (exchange.isBodyRead && exchange.keepAlive) return;
    if (exchange.isBodyRead && this.#inbox.available === 0) {
      return this.#close(gone("the last exchange is over"));
    }
    exchange.request.body.cancel();
    this.#enter("lingering");
  }

  #begin(head: RequestHead): ServerExchange {
    const inbox = this.#inbox;
    this.#enter("exchange");
    this.bodyBytes = 0;
    inbox.hold();
    inbox.start += this.#parser.position;
    const body = wireBody(inbox, head.framing, this.#bodyOptions);
    if (body === undefined) inbox.fill();
    const tunnel = head.upgrade === undefined ? undefined : new TunnelBody();
    const request = toRequest(
      head,
      this.#parser.fields,
      body ?? tunnel ?? EMPTY_BODY,
      this.#scheme,
    );
    this.#current = new ServerExchange(this, request, body, this.#transport.peer, head.keepAlive);
    this.#current.tunnel = tunnel;
    return this.#current;
  }

  /** Resolves when the whole response is with the kernel. */
  #respond(exchange: ServerExchange, response: Response): Promise<void> {
    exchange.isAnswered = true;
    if (this.#interims !== undefined) {
      return this.#interims.then(() => {
        this.#interims = undefined;
        return this.#respond(exchange, response);
      });
    }
    if (this.#state === "closed") throw exchange.cancellation.reason;
    if (exchange.tunnel !== undefined) {
      if (response.status === 101) return this.#switch(exchange, exchange.tunnel, response);
      exchange.tunnel.refuse();
    }
    exchange.body?.skipUntouched();
    const keepAlive = exchange.keepAlive && !this.#isDraining && exchange.isBodyRead &&
      !this.#inbox.isEnded;
    const { method, version } = exchange.request;
    const coding = writeResponseHead(this.#out, response, { method, version, keepAlive });
    exchange.keepAlive = keepAlive && coding !== "close";
    try {
      return writeBody(this.#transport, this.#out, response.body, coding, this);
    } catch (error) {
      return this.#respondInstead(exchange, response, toProblem(error));
    }
  }

  /** Grants the switch; the connection is the tunnel's until its end. Resolves when both halves are over. */
  async #switch(exchange: ServerExchange, tunnel: TunnelBody, response: Response): Promise<void> {
    const { headers, upgrade } = exchange.request;
    acceptWebSocket(headers, response.headers);
    writeSwitch(this.#out, response.headers, upgrade!);
    exchange.keepAlive = false;
    const { promise: isSent, resolve: onEnd } = Promise.withResolvers<void>();
    const options = { ...this.#bodyOptions, onEnd: () => onEnd() };
    exchange.body = wireBody(this.#inbox, { kind: "close" }, options);
    tunnel.grant(exchange.body!);
    await writeBody(this.#transport, this.#out, response.body, "close", this);
    this.#transport.closeWrite();
    await isSent;
  }

  /** The body broke at once, and no byte of the response has left: an answer that says so is better than none. */
  #respondInstead(exchange: ServerExchange, response: Response, error: ProxyError): Promise<void> {
    this.#out.reset();
    response.body.cancel();
    exchange.failure = error;
    return this.#respond(exchange, this.#handler.refuse(error, this.#transport.peer));
  }

  /** Sends an informational response ahead of the response. */
  sendInterim(interim: Interim): void {
    if (this.#state !== "exchange") return;
    const out = new ByteWriter(256);
    writeInterim(out, interim.status, interim.headers);
    this.#interims = (this.#interims ?? Promise.resolve())
      .then(() => this.#transport.write(out.view()))
      .catch(() => {});
  }

  /** Answers bytes that are no request, and closes: what follows them cannot be told apart. */
  async #refuse(error: unknown): Promise<void> {
    if (this.#state === "closed") return;
    this.#enter("lingering");
    const response = this.#handler.refuse(toProblem(error), this.#transport.peer);
    this.#out.reset();
    const coding = writeResponseHead(this.#out, response, {
      method: "GET",
      version: "1.1",
      keepAlive: false,
    });
    try {
      await writeBody(this.#transport, this.#out, response.body, coding, this);
      await linger(this.#transport, this.#inbox);
    } catch {
      // Gone before the answer: nobody is left to tell.
    }
  }

  #peerEnded(): void {
    // A tunnel's halves end one by one.
    if (this.#current?.isTunnel && this.#inbox.error === undefined) return;
    this.#current?.cancellation.cancel(gone("the client went away", this.#inbox.error));
    // Whoever waits for what comes behind a switch waits in vain.
    this.#current?.tunnel?.refuse();
  }

  #close(reason: ProxyError): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#transport.close();
    this.#current?.cancellation.cancel(reason);
  }
}

function toProblem(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError("internal", "the connection's own code failed", {
    side: "local",
    cause: error,
  });
}

function toError(error: unknown): Error {
  if (error instanceof ProxyError) return error;
  return gone("the client went away", error);
}

function gone(message: string, cause?: unknown): ProxyError {
  return new ProxyError("downstream-gone", message, { side: "downstream", cause });
}
