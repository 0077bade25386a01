// One request and its response on a client's connection: writes the request, and settles what `send` promised.
import { ProxyError, type Retry } from "../errors.ts";
import { EMPTY_BODY } from "../http/body.ts";
import type { Field } from "../http/field.ts";
import type { Interim, Request, Response } from "../http/message.ts";
import type { Connection } from "./connection.ts";
import { malformed, readTrailers } from "./field_rules.ts";
import { REASON, reasonName } from "./reason.ts";
import { readResponseHead, type ResponseHead } from "./response_head.ts";
import type { Stream, StreamFailure, StreamOwner } from "./stream.ts";

/** Informational responses before one final one; an upstream that sends more is broken. */
const MAX_INTERIMS = 16;

/*
 *   waiting --final head--> answered --peer's last frame--> over
 *      '--- failed, called off ---------'--- failed, called off, body cancelled ---> over
 */
type State = "waiting" | "answered" | "over";

export interface ClientExchangeContext {
  readonly connection: Connection;
  /** A response came on this connection before. */
  hasServed: boolean;
}

export class ClientExchange implements StreamOwner {
  /** The number that its caller knows it by. */
  readonly turn: number;
  readonly response: Promise<Response>;
  readonly #context: ClientExchangeContext;
  readonly #request: Request;
  readonly #onInterim: (interim: Interim) => void;
  #resolve!: (response: Response) => void;
  #reject!: (error: ProxyError) => void;
  #stream: Stream | undefined;
  #state: State = "waiting";
  #interims = 0;
  /** How many bytes the connection must have written before the request can have been seen. */
  #leavesAt = 0;
  readonly #hadServed: boolean;

  constructor(
    context: ClientExchangeContext,
    turn: number,
    request: Request,
    onInterim: (interim: Interim) => void,
  ) {
    this.turn = turn;
    this.#context = context;
    this.#request = request;
    this.#onInterim = onInterim;
    this.#hadServed = context.hasServed;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isTunnel(): boolean {
    return this.#request.upgrade !== undefined || this.#request.method === "CONNECT";
  }

  /** Opens stream `id` and sends the request on it. */
  begin(id: number): void {
    const { connection } = this.#context;
    const { body } = this.#request;
    const stream = connection.streams.add(id, this);
    this.#stream = stream;
    // What was cut is no empty body.
    const isEnd = body.isEnded && !body.length && !this.isTunnel;
    connection.heads.request(id, this.#request, isEnd);
    this.#leavesAt = connection.output.appended;
    if (isEnd) {
      body.cancel();
      stream.sentEnd();
    } else stream.send(body);
  }

  /** Ends it for a reason of ours; the stream is reset if it began. */
  abort(error: ProxyError): void {
    const stream = this.#stream;
    if (stream === undefined) this.#fail(error);
    else this.#context.connection.streams.reset(stream, REASON.CANCEL, error.message, error);
  }

  onHead(fields: Field[] | null, isEnd: boolean): void {
    const stream = this.#stream!;
    if (fields === null) {
      const error = broken("a head over the limits");
      return this.#context.connection.streams.reset(stream, REASON.CANCEL, error.message, error);
    }
    if (this.#state !== "waiting") return this.#onTrailers(stream, fields, isEnd);
    const head = readResponseHead(stream.id, fields, this.#request.method);
    if (head.status >= 200) this.#answer(stream, head, isEnd);
    else if (isEnd) malformed(stream.id, "an informational response that ends its stream");
    else if (++this.#interims > MAX_INTERIMS) malformed(stream.id, "no end of informational ones");
    else this.#onInterim({ status: head.status, headers: head.headers });
  }

  #onTrailers(stream: Stream, fields: Field[], isEnd: boolean): void {
    if (this.isTunnel || !isEnd) malformed(stream.id, "HEADERS within a body");
    stream.receiveEnd(readTrailers(stream.id, fields));
  }

  #answer(stream: Stream, head: ResponseHead, isEnd: boolean): void {
    const { status, headers } = head;
    const isAccepted = this.isTunnel && status < 300;
    // A tunnel has no length, whatever its head says (RFC 9110 9.3.6).
    const length = isAccepted ? undefined : head.length;
    if (isAccepted) headers.delete("content-length");
    if (isEnd && length) malformed(stream.id, "content-length without content");
    this.#context.hasServed = true;
    this.#state = "answered";
    const body = isEnd ? EMPTY_BODY : stream.expectBody(length);
    const isUpgrade = isAccepted && this.#request.upgrade !== undefined;
    this.#resolve({ status: isUpgrade ? 101 : status, headers, body });
    if (isEnd) stream.receiveEnd();
  }

  /** The response is whole: of a request still under way nobody wants the rest (8.1), unless it is a tunnel's. */
  onReceived(): void {
    const stream = this.#stream!;
    if (this.isTunnel) return;
    this.#state = "over";
    this.#context.connection.streams.reset(stream, REASON.NO_ERROR, "the exchange is over");
  }

  onSent(): void {}

  onSendFailed(error: Error): void {
    // The downstream broke: the upstream must not take half a request for a whole one.
    this.#context.connection.streams.reset(
      this.#stream!,
      REASON.CANCEL,
      "the request broke",
      error,
    );
  }

  onFailed(failure: StreamFailure): ProxyError {
    const error = this.#toProxyError(failure);
    this.#fail(error);
    return error;
  }

  #fail(error: ProxyError): void {
    const wasWaiting = this.#state === "waiting";
    this.#state = "over";
    if (wasWaiting) this.#reject(error);
  }

  onBodyCancelled(): void {
    this.#context.connection.streams.reset(
      this.#stream!,
      REASON.CANCEL,
      "the response is not wanted",
    );
  }

  onStalled(): void {
    const message = "the upstream stood still within a body";
    this.abort(new ProxyError("deadline", message, { side: "upstream" }));
  }

  #toProxyError(failure: StreamFailure): ProxyError {
    const { by, reason, message, cause } = failure;
    if (cause instanceof ProxyError) return cause;
    if (by === "us") return broken(message, cause);
    if (by === "connection") return reset(message, this.#retryOfLost(), cause);
    const name = reasonName(reason);
    const retry = reason === REASON.REFUSED_STREAM ? "yes" : "no";
    return reset(`the upstream reset the stream: ${name}`, retry, cause);
  }

  /** Only what never left, or never was looked at, is safe to send again. */
  #retryOfLost(): Retry {
    if (this.#state !== "waiting" || this.#interims > 0) return "no";
    if (this.#context.connection.output.handed < this.#leavesAt) return "yes";
    return this.#hadServed ? "if-reused" : "no";
  }
}

function reset(message: string, retry: Retry, cause?: unknown): ProxyError {
  return new ProxyError("upstream-reset", message, { side: "upstream", retry, cause });
}

function broken(message: string, cause?: unknown): ProxyError {
  return new ProxyError("upstream-protocol", message, { side: "upstream", cause });
}
