// SETTINGS (RFC 9113 6.5): what the peer asked for, checked, and what we ask for.
import { MAX_31_BIT, MAX_FRAME_BYTES, uint32At } from "./frame.ts";
import type { Http2Limits } from "./limits.ts";
import { ConnectionError, protocolError, REASON } from "./reason.ts";

const HEADER_TABLE_SIZE = 0x1;
const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;
const MAX_HEADER_LIST_SIZE = 0x6;
/** RFC 8441 3. */
const ENABLE_CONNECT_PROTOCOL = 0x8;

const LARGEST_FRAME = 0xffffff;

/** Every window before anybody said otherwise (6.9.2). */
export const DEFAULT_WINDOW = 65535;

/** How many streams we dare to open before the peer told its limit: what RFC 9113 6.5.2 advises it not to go below. */
const CAUTIOUS_STREAMS = 100;

/** What the peer told, or what holds until it does. */
export class PeerSettings {
  headerTableBytes = 4096;
  concurrentStreams = CAUTIOUS_STREAMS;
  windowBytes = DEFAULT_WINDOW;
  frameBytes = MAX_FRAME_BYTES;
  takesExtendedConnect = false;
  /** Its first SETTINGS are here. */
  isKnown = false;

  /** Applies a payload of SETTINGS. Throws ConnectionError. `isClient` is our role. */
  apply(bytes: Uint8Array, start: number, end: number, isClient: boolean): void {
    // Who names no limit in its first SETTINGS has none.
    if (!this.isKnown) this.concurrentStreams = MAX_31_BIT;
    this.isKnown = true;
    for (let at = start; at < end; at += 6) {
      this.#set((bytes[at]! << 8) | bytes[at + 1]!, uint32At(bytes, at + 2), isClient);
    }
  }

  #set(id: number, value: number, isClient: boolean): void {
    switch (id) {
      case HEADER_TABLE_SIZE:
        this.headerTableBytes = value;
        break;
      case ENABLE_PUSH:
        if (value > (isClient ? 0 : 1)) protocolError(`SETTINGS_ENABLE_PUSH of ${value}`);
        break;
      case MAX_CONCURRENT_STREAMS:
        this.concurrentStreams = value;
        break;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_31_BIT) {
          throw new ConnectionError(
            REASON.FLOW_CONTROL_ERROR,
            `SETTINGS_INITIAL_WINDOW_SIZE of ${value}`,
          );
        }
        this.windowBytes = value;
        break;
      case MAX_FRAME_SIZE:
        if (value < MAX_FRAME_BYTES || value > LARGEST_FRAME) {
          protocolError(`SETTINGS_MAX_FRAME_SIZE of ${value}`);
        }
        this.frameBytes = value;
        break;
      case ENABLE_CONNECT_PROTOCOL:
        if (value > 1 || (value === 0 && this.takesExtendedConnect)) {
          protocolError(`SETTINGS_ENABLE_CONNECT_PROTOCOL of ${value}`);
        }
        this.takesExtendedConnect = value === 1;
        break;
        // SETTINGS_MAX_HEADER_LIST_SIZE is advice; unknown ones are ignored (6.5.2).
    }
  }
}

/** What we tell, as pairs of identifier and value. */
export function ourSettings(limits: Http2Limits, isClient: boolean): [id: number, value: number][] {
  const both: [number, number][] = [
    [INITIAL_WINDOW_SIZE, limits.streamWindowBytes],
    [MAX_HEADER_LIST_SIZE, limits.headBytes],
  ];
  if (isClient) return [[ENABLE_PUSH, 0], ...both];
  return [
    [MAX_CONCURRENT_STREAMS, limits.concurrentStreams],
    ...both,
    [ENABLE_CONNECT_PROTOCOL, 1],
  ];
}
