// One stream (RFC 9113 5): its state, its windows, the body that comes and the body that goes. Knows frames' meaning for one
// stream; what a request or a response is, its owner knows.
import type { ProxyError } from "../errors.ts";
import type { Body } from "../http/body.ts";
import type { Field } from "../http/field.ts";
import type { Fields } from "../http/fields.ts";
import { BodySender, type SendingStream } from "./body_sender.ts";
import type { DataScheduler } from "./data_scheduler.ts";
import { canGrow, type ReceiveWindow } from "./flow_control.ts";
import type { HeadWriter } from "./head_writer.ts";
import { REASON, StreamError } from "./reason.ts";
import { ReceivedBody, type ReceivedBodyEvents } from "./received_body.ts";
import { afterReceivedEnd, afterSentEnd, canReceive, type StreamState } from "./stream_state.ts";

/** Why a stream was cut short. */
export interface StreamFailure {
  readonly by: "peer" | "us" | "connection";
  readonly reason: number;
  readonly message: string;
  readonly cause: Error | undefined;
}

/** Whoever began the stream, or answers it. */
export interface StreamOwner {
  /** Its bytes are another protocol's. */
  readonly isTunnel: boolean;
  /** A field block behind the first of a request, or any of a response; null is one over the limits. */
  onHead(fields: Field[] | null, isEnd: boolean): void;
  /** Our last frame was written; the stream's state says whether the peer's came. */
  onSent(): void;
  /** The peer's last frame came. */
  onReceived(): void;
  /** The body that we send broke: the owner resets the stream. */
  onSendFailed(error: Error): void;
  /** The stream is over before its time. Returns what the reader of its body gets to see. */
  onFailed(failure: StreamFailure): ProxyError;
  /** The reader of the body that we receive wants no more of it. */
  onBodyCancelled(): void;
  /** The peer lets us wait too long: for its bytes, or for taking ours. */
  onStalled(who: "sender" | "reader"): void;
}

/** The connection as its streams see it. */
export interface StreamHost {
  readonly scheduler: DataScheduler;
  readonly heads: HeadWriter;
  /** Bytes on loan from the connection's window come back. */
  returned(bytes: number): void;
  announce(stream: number, increment: number): void;
  /** Both sides said their last. */
  ended(stream: Stream): void;
  reset(stream: Stream, reason: number, message: string, cause?: Error): void;
}

export class Stream implements SendingStream, ReceivedBodyEvents {
  readonly id: number;
  readonly owner: StreamOwner;
  state: StreamState = "open";
  sendWindow: number;
  body: ReceivedBody | undefined;
  sender: BodySender | undefined;
  readonly #host: StreamHost;
  readonly #window: ReceiveWindow;
  #hasMoved = true;
  #quietSinceMs = 0;

  /** `sendWindow` is what the peer grants a new stream, `window` what we grant. */
  constructor(
    id: number,
    owner: StreamOwner,
    host: StreamHost,
    sendWindow: number,
    window: ReceiveWindow,
  ) {
    this.id = id;
    this.owner = owner;
    this.sendWindow = sendWindow;
    this.#host = host;
    this.#window = window;
  }

  /** The body behind a head that was received; undefined when nothing follows. */
  expectBody(length: number | undefined): ReceivedBody {
    return this.body = new ReceivedBody(length, this);
  }

  /** Starts sending `body`, which ends the stream. */
  send(body: Body): void {
    this.sender = new BodySender(this, body, this.#host.scheduler, this.#host.heads);
    this.sender.start();
  }

  /** DATA came; it is on loan from the connection's window. */
  receiveData(
    bytes: Uint8Array,
    start: number,
    end: number,
    padding: number,
    isEnd: boolean,
  ): void {
    this.#hasMoved = true;
    const length = end - start;
    const isGranted = this.#window.received(length + padding);
    if (!isGranted || this.body === undefined || !this.body.push(bytes, start, end)) {
      this.#host.returned(length + padding);
      if (!isGranted) throw this.#error(REASON.FLOW_CONTROL_ERROR, "more DATA than was granted");
      throw this.#error(REASON.PROTOCOL_ERROR, "DATA without a head, or beyond content-length");
    }
    if (padding > 0) this.onTaken(padding);
    if (isEnd) this.receiveEnd();
  }

  /** The peer's last frame came. */
  receiveEnd(trailers?: Fields): void {
    if (this.body?.finish(trailers) === false) {
      throw this.#error(REASON.PROTOCOL_ERROR, "less DATA than content-length said");
    }
    this.state = afterReceivedEnd(this.state);
    if (this.state === "closed") this.#host.ended(this);
    this.owner.onReceived();
  }

  /** WINDOW_UPDATE, or a change of SETTINGS_INITIAL_WINDOW_SIZE, which may be negative (6.9.2). */
  growWindow(increment: number): boolean {
    if (!canGrow(this.sendWindow, increment)) return false;
    this.sendWindow += increment;
    if (this.sendWindow > 0) this.sender?.unblock();
    return true;
  }

  /** ReceivedBody: what the reader took may be sent again by the peer. */
  onTaken(bytes: number): void {
    this.#host.returned(bytes);
    if (!canReceive(this.state)) return;
    const increment = this.#window.returned(bytes);
    if (increment > 0) this.#host.announce(this.id, increment);
  }

  /** ReceivedBody: the reader wants no more. */
  onCancelled(): void {
    this.#hasMoved = true;
    this.owner.onBodyCancelled();
  }

  /** SendingStream. */
  moved(): void {
    this.#hasMoved = true;
  }

  sentEnd(): void {
    if (this.state === "closed") return;
    this.state = afterSentEnd(this.state);
    if (this.state === "closed") this.#host.ended(this);
    this.owner.onSent();
  }

  sendFailed(error: Error): void {
    this.owner.onSendFailed(error);
  }

  /** It was reset, or the connection is lost. A body that was received whole stays readable (8.1). */
  fail(failure: StreamFailure): void {
    const wasReceiving = canReceive(this.state);
    this.state = "closed";
    const error = this.owner.onFailed(failure);
    if (wasReceiving) this.body?.fail(error);
    this.sender?.stop();
  }

  /** Looks for a peer that stands still. */
  sweep(nowMs: number, timeoutMs: number): void {
    if (this.#hasMoved) {
      this.#hasMoved = false;
      this.#quietSinceMs = nowMs;
    } else if (nowMs - this.#quietSinceMs >= timeoutMs) {
      if (this.sender?.isBlocked) this.owner.onStalled("reader");
      else if (this.body?.isWaiting) this.owner.onStalled("sender");
    }
  }

  #error(reason: number, message: string): StreamError {
    return new StreamError(this.id, reason, message);
  }
}
