// The client side of one HTTP/2 connection: exchanges out, each on a stream of its own, as many at once as the peer allows.
import { ProxyError } from "../errors.ts";
import type { Interim, Request, Response } from "../http/message.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import type { Sweepable } from "../lib/sweeper.ts";
import type { Transport } from "../net/transport.ts";
import { ClientExchange, type ClientExchangeContext } from "./client_exchange.ts";
import { Connection } from "./connection.ts";
import { MAX_31_BIT } from "./frame.ts";
import type { Http2Limits } from "./limits.ts";
import { REASON, reasonName } from "./reason.ts";

export interface Http2ClientEvents {
  /** It can take one more exchange, after it could not. */
  onFree(connection: Http2ClientConnection): void;
  /** It takes no new exchanges; those under way go on where the connection lives. Called once. */
  onGoaway(connection: Http2ClientConnection): void;
  /** It is over. Called once, behind `onGoaway`. */
  onClosed(connection: Http2ClientConnection): void;
}

/*
 *   open --GOAWAY of the peer, drain, or ids used up--> leaving --last stream over--> closed
 *     '--- broken, close, abort ----------------------------'-------------------------^
 */
type State = "open" | "leaving" | "closed";

const PING_PAYLOAD = latin1Bytes("are you?");

const NOTHING = new Uint8Array();

/** Sends requests over one connection. Whoever calls `send` owns the response body and reads or cancels it. */
export class Http2ClientConnection implements Sweepable {
  /** Exchanges begun. */
  exchanges = 0;
  /** The number by which `abortExchange` will know the next exchange. */
  nextTurn = 1;
  readonly #connection: Connection;
  readonly #limits: Http2Limits;
  readonly #events: Http2ClientEvents;
  readonly #context: ClientExchangeContext;
  #state: State = "open";
  #nextStream = 1;
  /** Tunnels that wait for the peer to say whether it takes them (RFC 8441 3). */
  #early: ClientExchange[] = [];
  #isFull = false;
  #seenReads = 0;
  #quietSinceMs = 0;
  #pingedAtMs: number | undefined;

  constructor(transport: Transport, limits: Http2Limits, events: Http2ClientEvents) {
    this.#limits = limits;
    this.#events = events;
    this.#connection = new Connection(transport, limits, {
      isClient: true,
      onNewStream: () => {},
      onTurnEnd: () => {},
      onPeerSettings: () => this.#settled(),
      onGoaway: (lastStream, reason) => this.#goneAway(lastStream, reason),
      onPingAck: () => {},
      onStreamGone: () => this.#streamGone(),
      onClosed: () => this.#closed(),
    });
    this.#context = { connection: this.#connection, hasServed: false };
    this.#connection.run(NOTHING);
  }

  /** It can take an exchange now. */
  get isUsable(): boolean {
    return this.room > 0;
  }

  /** How many exchanges it can take now. */
  get room(): number {
    if (this.#state !== "open" || !this.#connection.isOpen) return 0;
    const { peer } = this.#connection;
    const max = Math.min(peer.concurrentStreams, this.#limits.concurrentStreams);
    return Math.max(0, max - this.streams);
  }

  /** Exchanges under way. */
  get streams(): number {
    return this.#connection.streams.size + this.#early.length;
  }

  /**
   * Sends `request` and resolves with the head of its response; the request body goes on being sent meanwhile.
   * Rejects with ProxyError of side upstream, or what `abortExchange` was given. `retry: "yes"` says that the request was
   * not looked at; whether its body is still whole, only the caller knows.
   */
  send(request: Request, onInterim: (interim: Interim) => void): Promise<Response> {
    const turn = this.nextTurn;
    this.nextTurn += 2;
    if (!this.isUsable) return Promise.reject(notUsable());
    this.exchanges++;
    const exchange = new ClientExchange(this.#context, turn, request, onInterim);
    if (request.upgrade === undefined) this.#begin(exchange);
    else if (this.#connection.peer.isKnown) this.#beginTunnel(exchange);
    else this.#early.push(exchange);
    return exchange.response;
  }

  #begin(exchange: ClientExchange): void {
    const id = this.#nextStream;
    this.#nextStream += 2;
    exchange.begin(id);
    if (this.#nextStream > MAX_31_BIT) this.#leave();
    if (this.room === 0) this.#isFull = true;
  }

  #beginTunnel(exchange: ClientExchange): void {
    if (this.#connection.peer.takesExtendedConnect) return this.#begin(exchange);
    const message = "the upstream takes no extended CONNECT";
    exchange.abort(new ProxyError("upstream-protocol", message, { side: "upstream" }));
  }

  /** Cuts the exchange with this number if it is still there: its `send`, or its response's body, throws `reason`. */
  abortExchange(turn: number, reason: ProxyError): void {
    const { streams } = this.#connection;
    // Streams have the numbers of their exchanges unless tunnels had to wait.
    const likely = streams.get(turn)?.owner as ClientExchange | undefined;
    if (likely?.turn === turn) return likely.abort(reason);
    for (const stream of streams.all()) {
      const exchange = stream.owner as ClientExchange;
      if (exchange.turn === turn) return exchange.abort(reason);
    }
    const at = this.#early.findIndex((exchange) => exchange.turn === turn);
    if (at >= 0) this.#early.splice(at, 1)[0]!.abort(reason);
  }

  /** Takes no new exchanges, and closes when those under way are over. */
  drain(): void {
    if (this.streams === 0) this.close();
    else this.#leave();
  }

  /** Ends it; what is under way breaks. */
  close(): void {
    this.abort(new ProxyError("upstream-reset", "the connection was closed", { side: "local" }));
  }

  /** Cuts everything: every exchange under way throws `reason`. */
  abort(reason: ProxyError): void {
    const { message } = reason;
    this.#connection.close({ by: "us", reason: REASON.CANCEL, message, cause: reason });
  }

  sweep(nowMs: number): void {
    this.#connection.sweep(nowMs);
    const { reads } = this.#connection;
    if (reads !== this.#seenReads || this.streams === 0) {
      this.#seenReads = reads;
      this.#quietSinceMs = nowMs;
      this.#pingedAtMs = undefined;
    } else if (this.#pingedAtMs !== undefined) {
      if (nowMs - this.#pingedAtMs >= this.#limits.pingTimeoutMs) this.#dead();
    } else if (nowMs - this.#quietSinceMs >= this.#limits.keepAliveMs) {
      this.#pingedAtMs = nowMs;
      this.#connection.ping(PING_PAYLOAD);
    }
  }

  #dead(): void {
    const message = "the upstream did not answer a PING";
    this.#connection.close({
      by: "connection",
      reason: REASON.NO_ERROR,
      message,
      cause: undefined,
    });
  }

  #settled(): void {
    for (const exchange of this.#early.splice(0)) this.#beginTunnel(exchange);
    this.#isFull = true;
    this.#freed();
  }

  #goneAway(lastStream: number, reason: number): void {
    const wasOpen = this.#state === "open";
    this.#state = "leaving";
    const message = `the upstream said GOAWAY: ${reasonName(reason)}`;
    const error = new ProxyError("upstream-reset", message, { side: "upstream", retry: "yes" });
    for (const exchange of this.#early.splice(0)) exchange.abort(error);
    this.#connection.streams.dropAbove(lastStream, error);
    if (this.streams === 0) this.close();
    else if (wasOpen) this.#events.onGoaway(this);
  }

  #leave(): void {
    if (this.#state !== "open") return;
    this.#state = "leaving";
    this.#events.onGoaway(this);
  }

  /** After the last one nothing that the peer could still say matters. */
  #streamGone(): void {
    if (this.#state === "leaving" && this.streams === 0) return this.close();
    this.#freed();
  }

  #freed(): void {
    if (!this.#isFull || !this.isUsable) return;
    this.#isFull = false;
    this.#events.onFree(this);
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const { cause, message } = this.#connection.failure;
    const error = cause instanceof ProxyError ? cause : notUsable(message);
    for (const exchange of this.#early.splice(0)) exchange.abort(error);
    this.#events.onClosed(this);
  }
}

function notUsable(message = "the connection takes no request"): ProxyError {
  return new ProxyError("upstream-reset", message, { side: "upstream", retry: "yes" });
}
