// The client side of one HTTP/1.1 connection: one exchange at a time, and an eye on the line in between.
import { ProxyError } from "../errors.ts";
import { type Body, EMPTY_BODY } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { Interim, Request, Response } from "../http/message.ts";
import { ByteWriter } from "../lib/byte_writer.ts";
import type { Sweepable } from "../lib/sweeper.ts";
import type { Transport } from "../net/transport.ts";
import { type Progress, writeBody } from "./body_writer.ts";
import { HeadParser } from "./head_parser.ts";
import { Inbox } from "./inbox.ts";
import type { HeadLimits } from "./limits.ts";
import { NoBody } from "./no_body.ts";
import { readResponseHead, type ResponseHead } from "./response_head.ts";
import { writeRequestHead } from "./serialize.ts";
import { type AskedKey, askForWebSocket, checkAccepted } from "./websocket.ts";
import { type WireBody, wireBody, type WireBodyOptions } from "./wire_body.ts";

export interface ClientLimits extends HeadLimits {
  /** A response body, or the peer's taking of a request body, may stand still this long. */
  readonly idleTimeoutMs: number;
  /** A tunnel may be silent in both directions this long. */
  readonly tunnelIdleTimeoutMs: number;
}

/** Informational responses before one final one; an upstream that sends more is broken. */
const MAX_INTERIMS = 16;

/*
 *  idle --send--> exchange --response read and request written--> idle
 *    '--- peer closed, stray bytes ---> closed <--- error, abort, unreadable rest ---'
 */
type State = "idle" | "exchange" | "closed";

export interface ClientConnectionEvents {
  /** The exchange is over and the connection can take another one. */
  onIdle(connection: Http1ClientConnection): void;
  /** It carries a tunnel to its end and takes no other exchange. */
  onTunnel(connection: Http1ClientConnection): void;
  /** The connection cannot be used any more. Called once. */
  onClosed(connection: Http1ClientConnection): void;
}

/** Sends requests over one connection. Whoever calls `send` owns the response body and reads or cancels it. */
export class Http1ClientConnection implements Sweepable, Progress {
  /** Bytes of request bodies written. */
  bodyBytes = 0;
  /** Exchanges begun; above 1 the connection is a reused one. */
  exchanges = 0;
  readonly #transport: Transport;
  readonly #limits: ClientLimits;
  readonly #events: ClientConnectionEvents;
  readonly #inbox: Inbox;
  readonly #parser: HeadParser;
  readonly #out = new ByteWriter(1024);
  readonly #bodyOptions: WireBodyOptions;
  #state: State = "idle";
  /** Who waits for the head of a response. */
  #asked: {
    readonly resolve: (response: Response) => void;
    readonly reject: (error: Error) => void;
  } | undefined;
  #method = "";
  /** The protocol asked for, the key of a WebSocket, and what goes through once the switch is granted. */
  #upgrade: string | undefined;
  #webSocketKey: AskedKey | undefined;
  #tunnel: Body = EMPTY_BODY;
  #isTunnel = false;
  /** Server-sent events come when something happens, which may be long from now. */
  #isEventStream = false;
  #headWritten: Promise<void> = Promise.resolve();
  #onInterim: (interim: Interim) => void = () => {};
  #interims = 0;
  #failure: ProxyError | undefined;
  #requestBody: Body | undefined;
  #responseBody: WireBody | undefined;
  #isRequestWritten = true;
  #isResponseRead = true;
  #sawResponse = false;
  #keepAlive = true;
  #isDraining = false;
  #ticks = 0;
  #seenTicks = -1;
  #quietSince = 0;

  constructor(transport: Transport, limits: ClientLimits, events: ClientConnectionEvents) {
    this.#transport = transport;
    this.#limits = limits;
    this.#events = events;
    this.#inbox = new Inbox(transport, () => this.#peerEnded(), this.#readResponse);
    this.#parser = new HeadParser("response", "upstream", limits);
    const onEnd = (isComplete: boolean): void => this.#responseEnded(isComplete);
    this.#bodyOptions = { side: "upstream", limits, onEnd, failure: () => this.#failure };
  }

  /** The number that the next exchange will have. */
  get nextTurn(): number {
    return this.exchanges + 1;
  }

  /** Idle, open, and silent: bytes that nobody asked for would be taken for the next response. */
  get isUsable(): boolean {
    return this.#state === "idle" && this.#inbox.available === 0;
  }

  /**
   * Sends `request` and resolves with the head of its response; the request body goes on being sent meanwhile.
   * Throws ProxyError of side upstream when the connection broke, or what `abort` was given.
   */
  send(request: Request, onInterim: (interim: Interim) => void): Promise<Response> {
    if (this.#state !== "idle") return Promise.reject(notIdle(this.#state));
    this.#state = "exchange";
    this.exchanges++;
    this.#ticks++;
    this.#sawResponse = false;
    this.#isRequestWritten = this.#isResponseRead = false;
    this.#method = request.method;
    this.#upgrade = request.upgrade;
    this.#onInterim = onInterim;
    this.#interims = 0;
    this.#parser.reset();
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      try {
        this.#write(request);
        this.#readResponse();
      } catch (error) {
        this.#answer(undefined, error);
      }
    });
  }

  /** Goes on whenever the inbox has news; a callback, because a promise and its hops cost 0.7 us a request (measured). */
  #readResponse = (): void => {
    if (this.#asked === undefined) return;
    try {
      while (this.#hasHead()) {
        const head = readResponseHead(this.#parser, this.#method);
        this.#inbox.start += this.#parser.position;
        if (head.status >= 200) return this.#answer(this.#begin(head));
        if (head.status === 101) return this.#answer(this.#switch(head));
        this.#passOn(head.status);
      }
      this.#inbox.fill();
    } catch (error) {
      this.#answer(undefined, error);
    }
  };

  #passOn(status: number): void {
    if (++this.#interims > MAX_INTERIMS) {
      throw broken(`more than ${MAX_INTERIMS} informational responses`);
    }
    this.#onInterim({ status, headers: copyFields(this.#parser.fields) });
    this.#parser.reset();
  }

  #answer(response: Response | undefined, error?: unknown): void {
    const { resolve, reject } = this.#asked!;
    this.#asked = undefined;
    if (response !== undefined) resolve(response);
    else reject(this.#fail(error));
  }

  /** Cuts the exchange under way: `send` and the response body throw `reason`. */
  abort(reason: ProxyError): void {
    this.#failure ??= reason;
    this.close();
  }

  /** As `abort`, if the exchange is still the one that was counted `turn`: the connection may serve another by now. */
  abortExchange(turn: number, reason: ProxyError): void {
    if (this.#state === "exchange" && this.exchanges === turn) this.abort(reason);
  }

  /** Takes no further exchange, and closes when the one under way is over. */
  drain(): void {
    this.#isDraining = true;
    if (this.#state === "idle") this.close();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#transport.close();
    this.#requestBody?.cancel();
    this.#events.onClosed(this);
  }

  /** Progress: called when bytes moved. */
  touch(): void {
    this.#ticks++;
  }

  sweep(nowMs: number): void {
    // Stray bytes: nobody will ask for it any more.
    if (this.#state === "idle" && this.#inbox.available > 0) return this.close();
    const ticks = this.#ticks + (this.#responseBody?.pulls ?? 0);
    if (ticks !== this.#seenTicks) {
      this.#seenTicks = ticks;
      this.#quietSince = nowMs;
      return;
    }
    const { idleTimeoutMs, tunnelIdleTimeoutMs } = this.#limits;
    const isPatient = this.#isTunnel || this.#isEventStream;
    if (nowMs - this.#quietSince < (isPatient ? tunnelIdleTimeoutMs : idleTimeoutMs)) return;
    if (this.#state === "idle") this.close();
    else if (this.#transport.isWriting || this.#responseBody?.isWaiting) {
      this.abort(
        new ProxyError("deadline", "the upstream stood still within a body", { side: "upstream" }),
      );
    }
  }

  #write(request: Request): void {
    const { body, upgrade } = request;
    this.#webSocketKey = upgrade === "websocket" ? askForWebSocket(request) : undefined;
    const coding = writeRequestHead(this.#out, request);
    if (upgrade !== undefined) {
      // What is behind a request to switch waits for the switch, and stays the sender's where there is none.
      this.#tunnel = body;
      this.#headWritten = writeBody(this.#transport, this.#out, EMPTY_BODY, "none", this);
      this.#headWritten.then(this.#askWritten, this.#cannotWrite);
      return;
    }
    this.#requestBody = body.isEnded ? undefined : body;
    writeBody(this.#transport, this.#out, body, coding, this).then(this.#wrote, this.#cannotWrite);
  }

  /** The upstream granted the switch: from now on both directions are the tunnel's, each to its own end. */
  #switch(head: ResponseHead): Response {
    if (this.#upgrade === undefined || head.upgrade?.toLowerCase() !== this.#upgrade) {
      throw broken("101 without having been asked to switch protocols");
    }
    const { fields } = this.#parser;
    if (this.#webSocketKey !== undefined) checkAccepted(fields, this.#webSocketKey);
    this.#keepAlive = false;
    this.#isTunnel = true;
    this.#events.onTunnel(this);
    this.#inbox.hold();
    const body = wireBody(this.#inbox, { kind: "close" }, this.#bodyOptions)!;
    this.#responseBody = body;
    const sent = this.#requestBody = this.#tunnel;
    this.#isRequestWritten = false;
    this.#headWritten
      .then(() => writeBody(this.#transport, this.#out, sent, "close", this))
      .then(this.#halfEnded, this.#cannotWrite);
    return { status: 101, headers: fields, body };
  }

  #askWritten = (): void => {
    if (!this.#isTunnel) this.#wrote();
  };

  #halfEnded = (): void => {
    this.#transport.closeWrite();
    this.#wrote();
  };

  #wrote = (): void => {
    this.#isRequestWritten = true;
    this.#requestBody = undefined;
    this.#settle();
  };

  #cannotWrite = (error: Error): void => {
    this.#out.reset();
    // The downstream broke: the upstream must not take half a request for a whole one.
    if (error instanceof ProxyError) this.abort(error);
    // The upstream stopped reading, but may have answered before: reading tells.
    else {
      this.#keepAlive = false;
      // Through a tunnel nothing more goes this way.
      if (this.#isTunnel) this.#requestBody?.cancel();
      this.#isRequestWritten ||= this.#isTunnel;
      this.#settle();
    }
  };

  /** False: more bytes are needed. Throws when there will be none. */
  #hasHead(): boolean {
    const inbox = this.#inbox;
    if (this.#failure !== undefined) throw this.#failure;
    if (inbox.available > 0) {
      this.#sawResponse = true;
      if (this.#parser.parse(inbox.bytes, inbox.start, inbox.end)) return true;
    }
    if (inbox.isEnded) throw this.#reset(inbox.error);
    return false;
  }

  #begin(head: ResponseHead): Response {
    this.#keepAlive &&= head.keepAlive;
    // The head is forwarded as the bytes it came in; they must stay until it is.
    this.#inbox.hold();
    const body = wireBody(this.#inbox, head.framing, this.#bodyOptions);
    this.#responseBody = body;
    const { status } = head;
    const { fields } = this.#parser;
    this.#isEventStream = body !== undefined && body.length === undefined &&
      fields.get("content-type")?.toLowerCase().startsWith("text/event-stream") === true;
    return {
      status,
      headers: fields,
      body: body ?? new NoBody(() => this.#responseEnded(true)),
    };
  }

  #responseEnded(isComplete: boolean): void {
    if (this.#isResponseRead) return;
    this.#isResponseRead = true;
    if (!isComplete) this.close();
    else this.#settle();
  }

  /** The exchange is over when both directions are; an early response leaves a request that nobody will read. */
  #settle(): void {
    if (this.#state !== "exchange" || !this.#isResponseRead) return;
    // Its halves end one by one (RFC 9110 7.8 leaves the connection to the new protocol).
    if (this.#isTunnel && !this.#isRequestWritten) return;
    // The pulls stay counted: a sum that came back to an old value would look like silence.
    this.#ticks += this.#responseBody?.pulls ?? 0;
    this.#responseBody = undefined;
    if (!this.#keepAlive || this.#isDraining || this.#inbox.isEnded || this.#inbox.available > 0) {
      return this.close();
    }
    if (!this.#isRequestWritten) {
      // Its last bytes are on their way and will settle this; more than those nobody would read.
      if (this.#requestBody?.isEnded === false) this.close();
      return;
    }
    this.#state = "idle";
    this.#ticks++;
    // Watches the line: a close takes the connection out of the pool before a request meets it.
    this.#inbox.release();
    this.#inbox.fill();
    this.#events.onIdle(this);
  }

  #fail(error: unknown): ProxyError {
    const failure = this.#failure ?? (error instanceof ProxyError ? error : this.#reset(error));
    this.#failure = failure;
    this.close();
    return failure;
  }

  #peerEnded(): void {
    if (this.#state === "idle") this.close();
  }

  /** The connection ended before a response: on a reused one the upstream may have closed it before the request came. */
  #reset(cause: unknown): ProxyError {
    const isUnanswered = this.exchanges > 1 && !this.#sawResponse;
    return new ProxyError(
      "upstream-reset",
      "the upstream closed the connection without a response",
      {
        side: "upstream",
        retry: isUnanswered ? "if-reused" : "no",
        cause,
      },
    );
  }
}

function copyFields(fields: Fields): FieldList {
  const list = new FieldList();
  for (const [name, value] of fields) list.append(name.toLowerCase(), value);
  return list;
}

function notIdle(state: State): ProxyError {
  if (state === "closed") {
    return new ProxyError(
      "upstream-reset",
      "the upstream closed the connection before the request",
      {
        side: "upstream",
        retry: "if-reused",
      },
    );
  }
  return new ProxyError("internal", "two exchanges at once on one connection", { side: "local" });
}

function broken(message: string): ProxyError {
  return new ProxyError("upstream-protocol", message, { side: "upstream" });
}
