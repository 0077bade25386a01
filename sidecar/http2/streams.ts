// The streams of one connection (RFC 9113 5.1, 5.2): the table of the open ones, what is still known of the closed ones, the
// window that all share, and which frame may come when. How bytes come and go, connection.ts knows.
import type { ProxyError } from "../errors.ts";
import type { Field } from "../http/field.ts";
import { ClosedStreams } from "./closed_streams.ts";
import type { DataScheduler } from "./data_scheduler.ts";
import { ReceiveWindow } from "./flow_control.ts";
import { writeReset, writeWindowUpdate } from "./frame.ts";
import type { HeadWriter } from "./head_writer.ts";
import type { Http2Limits } from "./limits.ts";
import type { Output } from "./output.ts";
import { ConnectionError, protocolError, REASON, StreamError } from "./reason.ts";
import { DEFAULT_WINDOW, type PeerSettings } from "./settings.ts";
import { Stream, type StreamFailure, type StreamHost, type StreamOwner } from "./stream.ts";
import { canReceive, type Ending, judgeLate, type LateFrame } from "./stream_state.ts";
import { StreamTable } from "./stream_table.ts";

export interface StreamsContext {
  readonly limits: Http2Limits;
  readonly peer: PeerSettings;
  readonly output: Output;
  readonly scheduler: DataScheduler;
  readonly heads: HeadWriter;
  /** Frames may still be written. */
  readonly isOpen: () => boolean;
  /** A stream left the table. */
  readonly onGone: () => void;
}

export class Streams implements StreamHost {
  readonly scheduler: DataScheduler;
  readonly heads: HeadWriter;
  /** The highest id that exists on this connection. */
  highest = 0;
  /** The peer knows our settings. */
  isAcknowledged = false;
  readonly #context: StreamsContext;
  readonly #table = new StreamTable<Stream>();
  readonly #closed = new ClosedStreams();
  readonly #window: ReceiveWindow;

  constructor(context: StreamsContext) {
    this.#context = context;
    this.scheduler = context.scheduler;
    this.heads = context.heads;
    const { connectionWindowBytes } = context.limits;
    this.#window = new ReceiveWindow(Math.max(connectionWindowBytes, DEFAULT_WINDOW));
  }

  /** Open streams. */
  get size(): number {
    return this.#table.size;
  }

  /** What must be granted beyond the window that every connection begins with. */
  get extraWindowBytes(): number {
    return this.#window.size - DEFAULT_WINDOW;
  }

  get(id: number): Stream | undefined {
    return this.#table.get(id);
  }

  all(): Stream[] {
    return this.#table.all();
  }

  /** Puts a stream into the table; its head is next. */
  add(id: number, owner: StreamOwner): Stream {
    const { limits, peer } = this.#context;
    // The peer may not know our windows yet, and until it does it counts with the one that everybody begins with.
    const grantedBytes = this.isAcknowledged ? 0 : DEFAULT_WINDOW;
    const window = new ReceiveWindow(limits.streamWindowBytes, grantedBytes);
    const stream = new Stream(id, owner, this, peer.windowBytes, window);
    this.highest = id;
    this.#table.add(stream);
    return stream;
  }

  /** StreamHost. */
  ended(stream: Stream): void {
    this.#forget(stream.id, "ended");
  }

  /** StreamHost. Ends the stream here and now; one that is over already stays as it is. */
  reset(stream: Stream, reason: number, message: string, cause?: Error): void {
    if (this.#table.get(stream.id) !== stream) return;
    this.#writeReset(stream.id, reason);
    this.#forget(stream.id, "reset-by-us");
    stream.fail({ by: "us", reason, message, cause });
  }

  /** Ends the stream with this id, open or not. */
  refuse(id: number, reason: number, message: string): void {
    const stream = this.#table.get(id);
    if (stream !== undefined) return this.reset(stream, reason, message);
    this.#writeReset(id, reason);
    this.ignore(id);
  }

  /** Nothing that still comes on this stream matters. */
  ignore(id: number): void {
    if (id > this.highest) this.highest = id;
    this.#closed.add(id, "reset-by-us");
  }

  /** The peer will not look at streams above `lastStream` (6.8). */
  dropAbove(lastStream: number, cause: ProxyError): void {
    for (const stream of this.#table.all()) {
      if (stream.id <= lastStream) continue;
      this.#forget(stream.id, "reset-by-us");
      stream.fail({ by: "peer", reason: REASON.REFUSED_STREAM, message: cause.message, cause });
    }
  }

  /** The connection is lost, and all streams with it. */
  failAll(failure: StreamFailure): void {
    const streams = this.#table.all();
    this.#table.clear();
    for (const stream of streams) stream.fail(failure);
  }

  #writeReset(id: number, reason: number): void {
    const { output, isOpen } = this.#context;
    if (isOpen()) writeReset(output.open(), id, reason);
  }

  #forget(id: number, ending: Ending): void {
    this.#table.delete(id);
    this.#closed.add(id, ending);
    this.#context.onGone();
  }

  /** StreamHost. */
  returned(bytes: number): void {
    const increment = this.#window.returned(bytes);
    if (increment > 0) this.announce(0, increment);
  }

  /** StreamHost. */
  announce(id: number, increment: number): void {
    const { output, isOpen } = this.#context;
    if (isOpen()) writeWindowUpdate(output.open(), id, increment);
  }

  /** DATA came. */
  data(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    flowBytes: number,
    isEnd: boolean,
  ): void {
    if (!this.#window.received(flowBytes)) {
      throw new ConnectionError(REASON.FLOW_CONTROL_ERROR, "more DATA than was granted");
    }
    const stream = this.#table.get(id);
    if (stream !== undefined && canReceive(stream.state)) {
      return stream.receiveData(bytes, start, end, flowBytes - (end - start), isEnd);
    }
    this.returned(flowBytes);
    if (stream === undefined) return this.#late("DATA", id);
    throw new StreamError(id, REASON.STREAM_CLOSED, "DATA behind the end of its stream");
  }

  /** A field block came. False: on a stream that does not exist yet. */
  head(id: number, fields: Field[] | null, isEnd: boolean): boolean {
    const stream = this.#table.get(id);
    if (stream === undefined) {
      if (id > this.highest) return false;
      this.#late("HEADERS", id);
    } else if (canReceive(stream.state)) stream.owner.onHead(fields, isEnd);
    else throw new StreamError(id, REASON.STREAM_CLOSED, "HEADERS behind the end of its stream");
    return true;
  }

  /** RST_STREAM came. False: too late to matter. */
  resetByPeer(id: number, reason: number): boolean {
    const stream = this.#table.get(id);
    if (stream === undefined) {
      this.#late("RST_STREAM", id);
      return false;
    }
    this.#forget(id, "reset-by-peer");
    stream.fail({ by: "peer", reason, message: "the stream was reset", cause: undefined });
    return true;
  }

  /** WINDOW_UPDATE of a stream came. */
  windowUpdate(id: number, increment: number): void {
    const stream = this.#table.get(id);
    if (stream === undefined) return this.#late("WINDOW_UPDATE", id);
    if (!stream.growWindow(increment)) {
      throw new StreamError(id, REASON.FLOW_CONTROL_ERROR, "a stream's window grew too far");
    }
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE changed by so much (6.9.2). */
  changeWindows(change: number): void {
    for (const stream of this.#table.all()) {
      if (!stream.growWindow(change)) {
        throw new ConnectionError(REASON.FLOW_CONTROL_ERROR, "a stream's window grew too far");
      }
    }
  }

  /** A frame on a stream that is not in the table. */
  #late(frame: LateFrame, id: number): void {
    if (id > this.highest || id % 2 === 0) protocolError(`${frame} on an idle stream`);
    const ending = this.#closed.endingOf(id);
    switch (judgeLate(frame, ending)) {
      case "ignore":
        return;
      case "stream-error":
        throw new StreamError(id, REASON.STREAM_CLOSED, `${frame} on a closed stream`);
      case "connection-error":
        // An id that was passed over (5.1.1), or one that is over and done with.
        if (ending === undefined) protocolError(`${frame} on a stream below the last one`);
        throw new ConnectionError(REASON.STREAM_CLOSED, `${frame} on a closed stream`);
    }
  }
}
