// The server side of one HTTP/2 connection: streams in, exchanges out, bounded in number however the client resets them.
import { ProxyError } from "../errors.ts";
import { EMPTY_BODY } from "../http/body.ts";
import type { Field } from "../http/field.ts";
import type { Handler, Request } from "../http/message.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import type { Sweepable } from "../lib/sweeper.ts";
import type { Transport, TransportPeer } from "../net/transport.ts";
import { Connection } from "./connection.ts";
import { malformed } from "./field_rules.ts";
import { MAX_31_BIT } from "./frame.ts";
import type { Http2Limits } from "./limits.ts";
import { REASON } from "./reason.ts";
import { type RequestHead, RequestHeadReader } from "./request_head.ts";
import { ServerExchange, type ServerExchangeContext } from "./server_exchange.ts";
import type { Stream } from "./stream.ts";

/*
 *   serving --drain--> announcing --PING answered, or a second--> draining --last stream over--> closed
 *      '--- nothing to do for too long --------------------------------'
 */
type State = "serving" | "announcing" | "draining";

/** A round trip, or as long as anybody should wait for one (6.8). */
const ANNOUNCE_MS = 1000;

const PING_PAYLOAD = latin1Bytes("draining");

/** Serves one connection until either side ends it. */
export class Http2ServerConnection implements Sweepable {
  readonly #connection: Connection;
  readonly #limits: Http2Limits;
  readonly #scheme: "http" | "https";
  readonly #context: ServerExchangeContext;
  readonly #heads = new RequestHeadReader();
  #received: Uint8Array<ArrayBuffer>;
  /** Requests that came with the bytes being read; they are handed over with what else came of them. */
  #fresh: ServerExchange[] = [];
  /** Handlers at work; those whose stream is gone count too, or resets would multiply the work (CVE-2023-44487). */
  #active = 0;
  #state: State = "serving";
  /** Streams above it are not looked at any more. */
  #lastStream = MAX_31_BIT;
  #announcedAtMs: number | undefined;
  #seenReads = -1;
  #quietSinceMs = 0;

  /** `received` is what was read off the transport before; its buffer changes hands. */
  constructor(
    transport: Transport,
    handler: Handler,
    limits: Http2Limits,
    received: Uint8Array<ArrayBuffer>,
    scheme: "http" | "https" = "http",
  ) {
    this.#limits = limits;
    this.#scheme = scheme;
    this.#received = received;
    this.#connection = new Connection(transport, limits, {
      isClient: false,
      onNewStream: (id, fields, isEnd) => this.#begin(id, fields, isEnd),
      onTurnEnd: () => this.#startFresh(),
      onPeerSettings: () => {},
      // A client's GOAWAY is about streams of ours, and there are none.
      onGoaway: () => {},
      onPingAck: () => this.#announced(),
      onStreamGone: () => this.#closeWhenDone(),
      onClosed: () => {},
    });
    const peer: TransportPeer = transport.peer;
    const onOver = (): void => void this.#active--;
    this.#context = { connection: this.#connection, handler, peer, onOver };
  }

  /** No stream is open and no handler at work. */
  get isIdle(): boolean {
    return this.streams === 0 && this.#active === 0;
  }

  /** Streams open. */
  get streams(): number {
    return this.#connection.streams.size;
  }

  /** Resolves when the connection is closed. Never rejects. */
  serve(): Promise<void> {
    const received = this.#received;
    this.#received = NOTHING;
    return this.#connection.run(received);
  }

  /**
   * Takes no new streams, in two steps: a client that is sending one just now gets to know before it is too late (6.8).
   * Closes when the open ones are over.
   */
  drain(): void {
    if (this.#state !== "serving") return;
    this.#state = "announcing";
    this.#connection.announceEnd(MAX_31_BIT);
    this.#connection.ping(PING_PAYLOAD);
  }

  #announced(): void {
    if (this.#state === "announcing") this.#takeNoMore();
  }

  #takeNoMore(): void {
    this.#state = "draining";
    this.#lastStream = this.#connection.streams.highest;
    this.#connection.announceEnd(this.#lastStream);
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#state === "draining" && this.streams === 0) this.#connection.finish();
  }

  /** Cuts the connection; what is under way is cancelled. */
  abort(): void {
    const message = "the connection was cut by shutdown";
    const cause = new ProxyError("draining", message, { side: "local" });
    this.#connection.close({ by: "us", reason: REASON.NO_ERROR, message, cause });
  }

  sweep(nowMs: number): void {
    this.#connection.sweep(nowMs);
    if (this.#state === "announcing") {
      this.#announcedAtMs ??= nowMs;
      if (nowMs - this.#announcedAtMs >= ANNOUNCE_MS) this.#takeNoMore();
    }
    const { reads } = this.#connection;
    if (!this.isIdle || reads !== this.#seenReads) {
      this.#seenReads = reads;
      this.#quietSinceMs = nowMs;
    } else if (
      this.#state === "serving" && nowMs - this.#quietSinceMs >= this.#limits.idleTimeoutMs
    ) {
      this.#takeNoMore();
    }
  }

  #begin(id: number, fields: Field[] | null, isEnd: boolean): void {
    const connection = this.#connection;
    if (id > this.#lastStream) return connection.streams.ignore(id);
    // Once is a misunderstanding; insisting is a flood.
    if (this.#isFull) return connection.refuseWasted(id);
    if (fields === null) return this.#refuse(id, isEnd);
    const head = this.#heads.read(id, fields);
    if (isEnd && head.length) malformed(id, "content-length without content");
    const exchange = new ServerExchange(this.#context);
    const stream = connection.streams.add(id, exchange);
    exchange.accept(stream, toRequest(head, stream, isEnd, this.#scheme));
    this.#fresh.push(exchange);
    if (isEnd) stream.receiveEnd();
  }

  get #isFull(): boolean {
    const { concurrentStreams } = this.#limits;
    return this.streams >= concurrentStreams ||
      this.#active + this.#fresh.length >= concurrentStreams;
  }

  /** A head over the limits. */
  #refuse(id: number, isEnd: boolean): void {
    const exchange = new ServerExchange(this.#context);
    const stream = this.#connection.streams.add(id, exchange);
    if (isEnd) stream.receiveEnd();
    else stream.expectBody(undefined).cancel();
    const { headBytes, headFields } = this.#limits;
    const message = `a head of more than ${headBytes} bytes or ${headFields} fields`;
    exchange.refuse(stream, new ProxyError("headers-too-large", message, { side: "downstream" }));
  }

  #startFresh(): void {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const exchange of fresh) {
      this.#active++;
      if (!exchange.start()) this.#active--;
    }
  }
}

const NOTHING = new Uint8Array();

function toRequest(
  head: RequestHead,
  stream: Stream,
  isEnd: boolean,
  scheme: "http" | "https",
): Request {
  const { method, form, authority, target, headers, upgrade, acceptsTrailers, length } = head;
  const body = isEnd ? EMPTY_BODY : stream.expectBody(length);
  return {
    method,
    form,
    scheme,
    authority,
    target,
    version: "2",
    headers,
    body,
    upgrade,
    acceptsTrailers,
  };
}
