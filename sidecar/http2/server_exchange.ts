// One request and its response on a server's connection: hands the request to its handler, writes the response, and tells
// the handler once how it ended.
import { ProxyError } from "../errors.ts";
import type { Field } from "../http/field.ts";
import {
  type Handler,
  hasResponseBody,
  type Incoming,
  type Interim,
  type Request,
  type Response,
} from "../http/message.ts";
import { Cancellation } from "../lib/cancellation.ts";
import type { TransportPeer } from "../net/transport.ts";
import type { Connection } from "./connection.ts";
import { malformed, readTrailers } from "./field_rules.ts";
import { settleLength } from "./head_writer.ts";
import { REASON, reasonName, StreamError } from "./reason.ts";
import type { Stream, StreamFailure, StreamOwner } from "./stream.ts";

/*
 *   fresh --start--> handling --response--> sending --last frame--> over
 *     |                 |                      |--- of a tunnel --> half-open --peer's last frame--> over
 *     |                 '--- stream lost --> lost --response--> over
 *     '--- stream lost before anybody knew, or refused --> over <--- stream lost (sending, half-open)
 */
type State = "fresh" | "handling" | "sending" | "half-open" | "lost" | "over";

export interface ServerExchangeContext {
  readonly connection: Connection;
  readonly handler: Handler;
  readonly peer: TransportPeer;
  /** The handler is done with one. */
  onOver(): void;
}

export class ServerExchange implements Incoming, StreamOwner {
  readonly cancellation = new Cancellation();
  context: unknown = undefined;
  /** Set before anything happens; undefined for a request that is refused unseen. */
  #request: Request | undefined;
  #stream: Stream | undefined;
  #state: State = "fresh";
  readonly #context: ServerExchangeContext;

  constructor(context: ServerExchangeContext) {
    this.#context = context;
  }

  get request(): Request {
    return this.#request!;
  }

  get peer(): TransportPeer {
    return this.#context.peer;
  }

  get isTunnel(): boolean {
    const request = this.#request;
    return request !== undefined && (request.upgrade !== undefined || request.method === "CONNECT");
  }

  accept(stream: Stream, request: Request): void {
    this.#stream = stream;
    this.#request = request;
  }

  /** Answers without having asked the handler: the request could not even be held. */
  refuse(stream: Stream, error: ProxyError): void {
    this.#stream = stream;
    const { handler, peer } = this.#context;
    this.#state = "over";
    this.#write(handler.refuse(error, peer));
  }

  /** Hands the request over, unless its stream is gone already. */
  start(): boolean {
    if (this.#state !== "fresh") return false;
    this.#state = "handling";
    const answer = this.#context.handler.handle(this);
    if (answer instanceof Promise) answer.then(this.#respond, this.#handlerFailed);
    else this.#respond(answer);
    return true;
  }

  sendInterim(interim: Interim): void {
    if (this.#state !== "handling") return;
    this.#context.connection.heads.response(
      this.#stream!.id,
      interim.status,
      interim.headers,
      false,
    );
  }

  #respond = (response: Response): void => {
    if (this.#state !== "handling") {
      response.body.cancel();
      return this.#finish(this.cancellation.reason);
    }
    this.#state = "sending";
    this.#write(response);
  };

  #handlerFailed = (cause: unknown): void => {
    const error = new ProxyError("internal", "the handler failed", { side: "local", cause });
    this.#respond(this.#context.handler.refuse(error, this.peer));
  };

  #write(response: Response): void {
    const { heads } = this.#context.connection;
    const stream = this.#stream!;
    const { headers, body } = response;
    const status = this.#statusOf(response);
    const method = this.#request?.method ?? "GET";
    const hasBody = hasResponseBody(method, status);
    if (this.isTunnel && status < 300) headers.delete("content-length");
    else if (hasBody) settleLength(headers, body);
    // What was cut is no empty body.
    if (!hasBody || (body.isEnded && !body.length)) {
      body.cancel();
      heads.response(stream.id, status, headers, true);
      stream.sentEnd();
    } else {
      heads.response(stream.id, status, headers, false);
      stream.send(body);
    }
  }

  /** A tunnel that was accepted is 101 in the message model and 2xx here (RFC 8441 5). */
  #statusOf(response: Response): number {
    return response.status === 101 && this.isTunnel ? 200 : response.status;
  }

  onHead(fields: Field[] | null, isEnd: boolean): void {
    const stream = this.#stream!;
    if (this.isTunnel || !isEnd) malformed(stream.id, "HEADERS within a body");
    if (fields === null) {
      throw new StreamError(stream.id, REASON.ENHANCE_YOUR_CALM, "trailers over the limits");
    }
    stream.receiveEnd(readTrailers(stream.id, fields));
  }

  onReceived(): void {
    if (this.#state === "half-open") this.#end();
  }

  onSent(): void {
    const stream = this.#stream!;
    // The client of a tunnel may go on (RFC 9113 8.5).
    if (this.isTunnel && stream.state !== "closed") this.#state = "half-open";
    else this.#end();
  }

  /** All is said. What the client has still to send nobody will read (8.1). */
  #end(): void {
    const stream = this.#stream!;
    const wasHandled = this.#state !== "over";
    this.#state = "over";
    this.#context.connection.streams.reset(stream, REASON.NO_ERROR, IS_OVER.message, IS_OVER);
    // What a tunnel's client sent before it ended its side is still on its way through.
    if (!this.isTunnel) stream.body?.fail(IS_OVER);
    if (wasHandled) this.#finish(undefined);
  }

  onSendFailed(error: Error): void {
    const reason = REASON.INTERNAL_ERROR;
    this.#context.connection.streams.reset(this.#stream!, reason, "the response broke", error);
  }

  onFailed(failure: StreamFailure): ProxyError {
    const error = toProxyError(failure);
    // Also what was received whole: without its exchange nobody may take it for a request.
    this.#stream!.body?.fail(error);
    const state = this.#state;
    if (state === "over") return error;
    this.#state = state === "handling" ? "lost" : "over";
    this.cancellation.cancel(error);
    if (state === "sending" || state === "half-open") this.#finish(error);
    return error;
  }

  /** The rest of the request is not wanted; the response is. */
  onBodyCancelled(): void {}

  onStalled(who: "sender" | "reader"): void {
    const isTold = this.cancellation.isCancelled;
    if (who === "reader" || isTold) {
      const message = who === "reader" ? "the client stopped reading" : "the request body stalled";
      return this.#context.connection.streams.reset(
        this.#stream!,
        REASON.CANCEL,
        message,
        gone(message),
      );
    }
    this.cancellation.cancel(
      new ProxyError("request-timeout", "the request body stalled", { side: "downstream" }),
    );
  }

  #finish(error: Error | undefined): void {
    this.#state = "over";
    const bodyBytes = this.#stream!.sender?.bytes ?? 0;
    this.#context.onOver();
    this.#context.handler.finished(this, { bodyBytes, error });
  }
}

/** Shared: an error costs ten times the rest of an exchange's end, and this one is nobody's fault. */
const IS_OVER = gone("the exchange is over");

function toProxyError(failure: StreamFailure): ProxyError {
  const { by, reason, message, cause } = failure;
  if (cause instanceof ProxyError) return cause;
  if (by === "peer") return gone(`the client reset the stream: ${reasonName(reason)}`);
  if (by === "connection") return gone(message, cause);
  return new ProxyError("bad-request", message, { side: "downstream", cause });
}

function gone(message: string, cause?: unknown): ProxyError {
  return new ProxyError("downstream-gone", message, { side: "downstream", cause });
}
