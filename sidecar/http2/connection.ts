// What both roles of a connection share (RFC 9113 3 to 6): bytes in and out, settings, PING and GOAWAY, and the one place
// where errors of the peer end a stream or the connection. What streams carry, their role knows.
import type { Field } from "../http/field.ts";
import type { Transport } from "../net/transport.ts";
import { DataScheduler } from "./data_scheduler.ts";
import { FloodGuard } from "./flood_guard.ts";
import {
  writeGoaway,
  writePing,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame.ts";
import { FrameReader, type FrameSink, PREFACE } from "./frame_reader.ts";
import { HeadWriter } from "./head_writer.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { HpackError } from "./hpack/hpack_error.ts";
import { Inbox } from "./inbox.ts";
import type { Http2Limits } from "./limits.ts";
import { Output } from "./output.ts";
import { ConnectionError, protocolError, REASON, StreamError } from "./reason.ts";
import { ourSettings, PeerSettings } from "./settings.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { StreamFailure } from "./stream.ts";
import { Streams } from "./streams.ts";

/** Server or client, as the connection sees it. */
export interface Role {
  readonly isClient: boolean;
  /** The peer begins a stream; null is a field block over the limits. Never called for a client. */
  onNewStream(id: number, fields: Field[] | null, isEnd: boolean): void;
  /** All frames of one read were dealt with. */
  onTurnEnd(): void;
  onPeerSettings(): void;
  onGoaway(lastStream: number, reason: number): void;
  onPingAck(): void;
  /** A stream is over. */
  onStreamGone(): void;
  /** Nothing more will come or go; the streams have been told. Called once. */
  onClosed(): void;
}

/*
 *   open --error of the peer, or our last word--> closing --all written and the peer gone, or patience over--> closed
 *     '--- the transport broke or ended, or close -------------------------------------------------------------^
 */
type State = "open" | "closing" | "closed";

/** How long a peer may still be sending after our last word; cutting it off at once could cost it that word. */
const LINGER_MS = 2000;

/** A peer that sends on while this much waits for it to read is not read from either. */
const PAUSE_BYTES = 262_144;

/** A block on the wire may be this much larger than a list within the limits before it is not even decoded. */
const BLOCK_FACTOR = 4;

/** Our SETTINGS_HEADER_TABLE_SIZE, as it begins (6.5.2). */
const TABLE_BYTES = 4096;

const ENDED: StreamFailure = {
  by: "connection",
  reason: REASON.NO_ERROR,
  message: "the connection was closed",
  cause: undefined,
};

export class Connection implements FrameSink {
  readonly output: Output;
  readonly peer = new PeerSettings();
  readonly heads: HeadWriter;
  readonly streams: Streams;
  /** Goes up with everything that the peer sends. */
  reads = 0;
  readonly #transport: Transport;
  readonly #limits: Http2Limits;
  readonly #role: Role;
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #encoder = new HpackEncoder();
  readonly #scheduler: DataScheduler;
  readonly #floods: FloodGuard;
  #state: State = "open";
  #failure = ENDED;
  #resume: (() => void) | undefined;
  readonly #midway = new Stopwatch();
  readonly #closing = new Stopwatch();
  readonly #writing = new Stopwatch();
  #sweptAtMs = 0;

  constructor(transport: Transport, limits: Http2Limits, role: Role) {
    this.#transport = transport;
    this.#limits = limits;
    this.#role = role;
    const { peer } = this;
    const output = new Output(transport, {
      onWritten: () => this.#written(),
      onBroken: () => this.#writeBroke(),
    });
    const scheduler = new DataScheduler(output, peer);
    const heads = new HeadWriter(output, this.#encoder, peer);
    this.output = output;
    this.heads = heads;
    this.#scheduler = scheduler;
    const isOpen = () => this.isOpen;
    const onGone = () => role.onStreamGone();
    this.streams = new Streams({ limits, peer, output, scheduler, heads, isOpen, onGone });
    this.#reader = new FrameReader(this, !role.isClient, BLOCK_FACTOR * limits.headBytes);
    const { headBytes: maxListBytes, headFields: maxFields } = limits;
    this.#decoder = new HpackDecoder({ maxTableBytes: TABLE_BYTES, maxListBytes, maxFields });
    this.#floods = new FloodGuard(limits);
    this.#begin();
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Why the connection is over. */
  get failure(): StreamFailure {
    return this.#failure;
  }

  /** Our preface (3.4). */
  #begin(): void {
    const { isClient } = this.#role;
    const out = this.output.open();
    if (isClient) out.copy(PREFACE);
    writeSettings(out, ourSettings(this.#limits, isClient));
    const more = this.streams.extraWindowBytes;
    if (more > 0) writeWindowUpdate(out, 0, more);
  }

  /** Reads to the end of the connection, beginning with what was `received` before. Never rejects. */
  async run(received: Uint8Array<ArrayBuffer>): Promise<void> {
    const inbox = new Inbox(this.#transport, received);
    let cause: Error | undefined;
    try {
      do {
        this.#readFrames(inbox);
        while (this.isOpen && this.output.pending > PAUSE_BYTES) await this.#room();
      } while (!this.isClosed && await inbox.fill(this.#reader.needed));
    } catch (error) {
      cause = error as Error;
    }
    inbox.close();
    this.close({ ...ENDED, message: "the peer closed the connection", cause });
  }

  #readFrames(inbox: Inbox): void {
    this.reads++;
    while (this.isOpen) {
      try {
        this.#reader.read(inbox.bytes, inbox.start, inbox.end);
        inbox.start = this.#reader.position;
        break;
      } catch (error) {
        inbox.start = this.#reader.position;
        this.#handleError(error);
      }
    }
    if (!this.isOpen) inbox.discard();
    this.#role.onTurnEnd();
  }

  /** The one place where what the peer did wrong ends something. */
  #handleError(error: unknown): void {
    try {
      if (!(error instanceof StreamError)) throw error;
      this.streams.refuse(error.stream, error.reason, error.message);
      this.#floods.wasted();
    } catch (fatal) {
      if (fatal instanceof ConnectionError) this.goaway(fatal.reason, fatal.message);
      else this.goaway(REASON.INTERNAL_ERROR, "", fatal as Error);
    }
  }

  /** Our last word. Streams still there are lost; the connection closes when the peer has heard it. */
  goaway(reason: number, message: string, cause?: Error): void {
    if (!this.isOpen) return;
    const lastStream = this.#role.isClient ? 0 : this.streams.highest;
    writeGoaway(this.output.open(), lastStream, reason, message);
    this.#state = "closing";
    this.#failStreams({ by: "us", reason, message: message || "the codec failed", cause });
  }

  /** GOAWAY with which the connection goes on (6.8). */
  announceEnd(lastStream: number): void {
    if (this.isOpen) writeGoaway(this.output.open(), lastStream, REASON.NO_ERROR);
  }

  /** Eight bytes for the peer to send back. */
  ping(payload: Uint8Array): void {
    if (this.isOpen) writePing(this.output.open(), payload, 0, false);
  }

  /** Turns away a stream that the peer was told not to open. */
  refuseWasted(id: number): void {
    this.streams.refuse(id, REASON.REFUSED_STREAM, "too many streams");
    this.#floods.wasted();
  }

  /** Everything was said: lets the peer read it and close. */
  finish(): void {
    if (!this.isOpen) return;
    this.#state = "closing";
    this.#closeWrite();
  }

  #closeWrite(): void {
    if (!this.output.isBusy) this.#transport.closeWrite();
  }

  /** Ends everything at once. */
  close(failure: StreamFailure): void {
    if (this.isClosed) return;
    this.#state = "closed";
    this.output.close();
    this.#transport.close();
    this.#failStreams(failure);
    this.#resume?.();
    this.#role.onClosed();
  }

  #failStreams(failure: StreamFailure): void {
    this.#failure = failure;
    this.streams.failAll(failure);
  }

  // FrameSink

  onData(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    flowBytes: number,
    isEnd: boolean,
  ): void {
    if (start === end && !isEnd) this.onIgnored();
    this.streams.data(id, bytes, start, end, flowBytes, isEnd);
  }

  onHead(id: number, bytes: Uint8Array, start: number, end: number, isEnd: boolean): void {
    const fields = this.#decode(bytes, start, end);
    if (this.streams.head(id, fields, isEnd)) return;
    if (this.#role.isClient) protocolError("HEADERS on a stream that we did not begin");
    if (id % 2 === 0) protocolError("a stream of the client with an even id");
    this.#floods.opened();
    this.#role.onNewStream(id, fields, isEnd);
  }

  #decode(bytes: Uint8Array, start: number, end: number): Field[] | null {
    try {
      return this.#decoder.decode(bytes, start, end);
    } catch (error) {
      if (!(error instanceof HpackError)) throw error;
      throw new ConnectionError(REASON.COMPRESSION_ERROR, error.message);
    }
  }

  onReset(id: number, reason: number): void {
    if (!this.streams.resetByPeer(id, reason)) this.onIgnored();
    // Only a client can waste streams by it.
    else if (!this.#role.isClient) this.#floods.wasted();
  }

  onSettings(bytes: Uint8Array, start: number, end: number): void {
    this.onIgnored();
    const { windowBytes, headerTableBytes } = this.peer;
    this.peer.apply(bytes, start, end, this.#role.isClient);
    if (this.peer.headerTableBytes !== headerTableBytes) {
      this.#encoder.setMaxTableSize(this.peer.headerTableBytes);
    }
    writeSettingsAck(this.output.open());
    const change = this.peer.windowBytes - windowBytes;
    if (change !== 0) this.streams.changeWindows(change);
    this.#role.onPeerSettings();
  }

  onSettingsAck(): void {
    this.onIgnored();
    this.streams.isAcknowledged = true;
  }

  onPing(bytes: Uint8Array, start: number, isAck: boolean): void {
    this.onIgnored();
    if (isAck) this.#role.onPingAck();
    else writePing(this.output.open(), bytes, start, true);
  }

  onGoaway(lastStream: number, reason: number): void {
    this.onIgnored();
    this.#role.onGoaway(lastStream, reason);
  }

  onWindowUpdate(id: number, increment: number): void {
    this.onIgnored();
    if (id === 0) this.#scheduler.grow(increment);
    else this.streams.windowUpdate(id, increment);
  }

  onIgnored(): void {
    this.#floods.ignored(this.#scheduler.frames);
  }

  // Writing

  #written(): void {
    this.#scheduler.run();
    if (this.output.pending <= PAUSE_BYTES) this.#resume?.();
    if (this.#state === "closing") this.#closeWrite();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => this.#resume = resolve);
  }

  /** What the peer sent before it went away may still be worth reading; the end of that ends the rest. */
  #writeBroke(): void {
    this.#resume?.();
  }

  /** Looks for what stands still. */
  sweep(nowMs: number): void {
    if (this.isClosed) return;
    this.#floods.sweep(nowMs);
    const { headTimeoutMs, streamIdleTimeoutMs } = this.#limits;
    const isClosing = this.#state === "closing" || this.output.isBroken;
    if (this.#closing.look(nowMs, isClosing) >= LINGER_MS) return this.close(this.#failure);
    // A byte now and then does not help (slowloris).
    const isLate = this.#midway.look(nowMs, this.#reader.isMidway) >= headTimeoutMs;
    if (isLate) return this.goaway(REASON.ENHANCE_YOUR_CALM, "a head did not arrive in time");
    const writingMs = this.#writing.look(nowMs, this.output.isWriting, this.output.handed);
    if (writingMs >= streamIdleTimeoutMs) {
      return this.close({ ...ENDED, message: "the peer stopped reading" });
    }
    this.#sweepStreams(nowMs);
  }

  /** A long timeout need not be exact, and there may be a thousand streams to ask. */
  #sweepStreams(nowMs: number): void {
    const { streamIdleTimeoutMs, tunnelIdleTimeoutMs } = this.#limits;
    if (nowMs - this.#sweptAtMs < Math.min(streamIdleTimeoutMs, tunnelIdleTimeoutMs) / 16) return;
    this.#sweptAtMs = nowMs;
    for (const stream of this.streams.all()) {
      stream.sweep(nowMs, stream.owner.isTunnel ? tunnelIdleTimeoutMs : streamIdleTimeoutMs);
    }
  }
}
