// What a peer has seen of the other side so far: its settings, its streams, and how it ended them.
import { latin1 } from "../../../sidecar/lib/bytes.ts";
import type { Pair } from "./block.ts";
import { dataOf, hasFlag, readU32, type ReceivedFrame } from "./frame_reader.ts";
import { DEFAULT_WINDOW, FLAG, type Reason, REASONS, SETTING, TYPE } from "./frames.ts";

/** Longer bodies are counted and not kept. */
const MAX_BODY = 1 << 20;

export interface Goaway {
  readonly lastStream: number;
  readonly reason: Reason;
}

/** One stream as it came from the other side. */
export class StreamView {
  readonly heads: (readonly Pair[])[] = [];
  body = "";
  bodyBytes = 0;
  /** What WINDOW_UPDATEs added to what we may send on it. */
  credit = 0;
  isEnded = false;
  reset: Reason | undefined;

  /** The final response's, or undefined where none came. */
  get status(): string | undefined {
    return this.response?.find(([name]) => name === ":status")?.[1];
  }

  /** The head of the final response; of a request, its head. */
  get response(): readonly Pair[] | undefined {
    return this.heads.find((head) => !head.some(isInterim));
  }

  get trailers(): readonly Pair[] {
    const at = this.heads.findIndex((head) => !head.some(isInterim));
    return this.heads[at + 1] ?? [];
  }

  get isOver(): boolean {
    return this.isEnded || this.reset !== undefined;
  }

  /** The first value of that name in the response or request. */
  get(name: string): string | undefined {
    return this.response?.find(([other]) => other === name)?.[1];
  }
}

function isInterim([name, value]: Pair): boolean {
  return name === ":status" && value.startsWith("1");
}

export class View {
  readonly settings = new Map<number, number>();
  hasSettings = false;
  readonly streams = new Map<number, StreamView>();
  /** Frames received, by type. */
  readonly counts = new Map<number, number>();
  settingsAcks = 0;
  readonly pongs: string[] = [];
  goaway: Goaway | undefined;
  /** What we may send on the connection, all that was sent included. */
  window = DEFAULT_WINDOW;
  /** Of the largest DATA. */
  maxDataBytes = 0;

  stream(id: number): StreamView {
    let stream = this.streams.get(id);
    if (stream === undefined) this.streams.set(id, stream = new StreamView());
    return stream;
  }

  get maxFrameBytes(): number {
    return this.settings.get(SETTING.maxFrameSize) ?? 16_384;
  }

  get streamWindow(): number {
    return this.settings.get(SETTING.initialWindowSize) ?? DEFAULT_WINDOW;
  }

  see(frame: ReceivedFrame): void {
    this.counts.set(frame.type, (this.counts.get(frame.type) ?? 0) + 1);
    if (frame.stream !== 0) this.#seeStream(frame, this.stream(frame.stream));
    else if (frame.type === TYPE.settings) this.#seeSettings(frame);
    else if (frame.type === TYPE.ping && hasFlag(frame, FLAG.ack)) {
      this.pongs.push(latin1(frame.payload, 0, frame.payload.length));
    } else if (frame.type === TYPE.windowUpdate) this.window += readU32(frame.payload, 0);
    else if (frame.type === TYPE.goaway) {
      const lastStream = readU32(frame.payload, 0);
      this.goaway = { lastStream, reason: reasonOf(frame.payload, 4) };
    }
  }

  #seeSettings({ flags, payload }: ReceivedFrame): void {
    if ((flags & FLAG.ack) !== 0) {
      this.settingsAcks++;
      return;
    }
    this.hasSettings = true;
    for (let at = 0; at < payload.length; at += 6) {
      this.settings.set(payload[at]! << 8 | payload[at + 1]!, readU32(payload, at + 2));
    }
  }

  #seeStream(frame: ReceivedFrame, stream: StreamView): void {
    if (frame.type === TYPE.rstStream) stream.reset = reasonOf(frame.payload, 0);
    if (frame.fields !== undefined && frame.type !== TYPE.pushPromise) {
      stream.heads.push(frame.fields);
      if (frame.isLast) stream.isEnded = true;
    }
    if (frame.type === TYPE.windowUpdate) stream.credit += readU32(frame.payload, 0);
    if (frame.type !== TYPE.data) return;
    this.maxDataBytes = Math.max(this.maxDataBytes, frame.payload.length);
    const content = dataOf(frame);
    stream.bodyBytes += content.length;
    if (stream.bodyBytes <= MAX_BODY) stream.body += latin1(content, 0, content.length);
    if (hasFlag(frame, FLAG.endStream)) stream.isEnded = true;
  }
}

function reasonOf(payload: Uint8Array, at: number): Reason {
  return REASONS[readU32(payload, at)] ?? "INTERNAL_ERROR";
}
