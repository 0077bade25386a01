// One end of an HTTP/2 connection by hand: sends the bytes it is given, and takes nothing from the kernel before its test
// asks. The acknowledgements that every peer owes are sent as frames are read, unless it keeps silent.
import { FrameReader, hasFlag, type ReceivedFrame } from "./frame_reader.ts";
import {
  bytes,
  FLAG,
  headers,
  MAGIC,
  type Piece,
  ping,
  type Setting,
  settings,
  SETTINGS_ACK,
  TYPE,
  windowUpdate,
} from "./frames.ts";
import { type StreamView, View } from "./view.ts";

/** Only reached by a test that fails: what it waits for then ends. */
const PATIENCE_MS = 10_000;
const READ_BYTES = 65_536;

export interface PeerOptions {
  readonly patienceMs?: number;
  /** Acknowledges neither SETTINGS nor PING. */
  readonly isSilent?: boolean;
  /** Gives back every byte of DATA that it reads. */
  readonly isGenerous?: boolean;
}

type Ending = "open" | "closed" | "reset" | "impatient";

/** Deno's own sockets: a write that fails leaves what came before it to be read, which node:net throws away. */
export class H2Peer implements Disposable {
  readonly view = new View();
  readonly #connection: Deno.Conn;
  readonly #options: PeerOptions;
  readonly #reader = new FrameReader();
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #timer: ReturnType<typeof setTimeout>;
  /** A server reads the magic before the first frame. */
  #isReading: boolean;
  #ending: Ending = "open";
  #isClosed = false;
  #writing = Promise.resolve(true);
  #unsentBytes = 0;

  /** Connects and sends nothing yet. */
  static async connect(port: number, options: PeerOptions = {}): Promise<H2Peer> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return new H2Peer(connection, "client", options);
  }

  /** A client whose settings were acknowledged, and that has the server's. */
  static async client(
    port: number,
    values: readonly Setting[] = [],
    options: PeerOptions = {},
  ): Promise<H2Peer> {
    const peer = await H2Peer.connect(port, options);
    try {
      await peer.send(MAGIC, settings(...values));
      await peer.wait((view) => view.settingsAcks > 0 && view.hasSettings, "settings");
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  }

  constructor(connection: Deno.TcpConn, role: "client" | "server", options: PeerOptions = {}) {
    connection.setNoDelay(true);
    this.#connection = connection;
    this.#isReading = role === "client";
    this.#options = options;
    this.#timer = setTimeout(() => {
      if (this.#ending === "open") this.#ending = "impatient";
      this.close();
    }, options.patienceMs ?? PATIENCE_MS);
  }

  /** How the other side ended the connection, as far as was read. */
  get ending(): Ending {
    return this.#ending;
  }

  /** Bytes that were given to `send` and that the kernel has not taken: the other side does not read. */
  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Resolves to true when the kernel has all of it, to false where the other side no longer takes it. */
  send(...pieces: readonly Piece[]): Promise<boolean> {
    const all = bytes(...pieces);
    this.#unsentBytes += all.length;
    return this.#writing = this.#writing.then((isOpen) => isOpen && this.#write(all));
  }

  /** Reads until `isThere`, looked at after each read; false when the connection ends before. */
  async reaches(isThere: (view: View) => boolean): Promise<boolean> {
    while (!isThere(this.view)) if (!await this.#more()) return false;
    return true;
  }

  /** As `reaches`, and throws where it does not. */
  async wait(isThere: (view: View) => boolean, what: string): Promise<void> {
    if (await this.reaches(isThere)) return;
    const reason = this.view.goaway?.reason ?? "no GOAWAY";
    throw new Error(`never came (${this.#ending}, ${reason}): ${what}`);
  }

  /** Reads until the other side ended or reset the stream. Throws where it does not. */
  async over(stream: number): Promise<StreamView> {
    await this.wait((view) => view.stream(stream).isOver, `the end of stream ${stream}`);
    return this.view.stream(stream);
  }

  /** Sends a request that is whole, and resolves when the stream is over. */
  async ask(stream: number, block: Uint8Array): Promise<StreamView> {
    await this.send(headers(stream, block));
    return await this.over(stream);
  }

  /** Reads to the end. */
  async ended(): Promise<Exclude<Ending, "open">> {
    while (await this.#more());
    if (this.#ending === "open") throw new Error("not at the end");
    return this.#ending;
  }

  /** For the server's role: resolves when the client's magic came and our settings are sent; false where none came. */
  accept(...values: readonly Setting[]): Promise<boolean> {
    return this.greet(settings(...values));
  }

  /** As `accept`, with these bytes in place of settings. */
  async greet(greeting: Uint8Array): Promise<boolean> {
    while (!this.#reader.takeText(MAGIC)) if (!await this.#more()) return false;
    // Before the acknowledgement of what the client said already.
    const sent = this.send(greeting);
    this.#isReading = true;
    this.#takeFrames();
    return await sent;
  }

  /** Writes that the kernel has not taken end only with the other side. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#connection.close();
    } catch {
      // The runtime closed it already.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #write(all: Uint8Array): Promise<boolean> {
    try {
      for (let rest = all; rest.length > 0;) {
        const count = await this.#connection.write(rest);
        rest = rest.subarray(count);
        this.#unsentBytes -= count;
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Resolves to true when more was received, to false at the end. */
  async #more(): Promise<boolean> {
    if (this.#ending !== "open") return false;
    let count: number | null;
    try {
      count = await this.#connection.read(this.#buffer);
    } catch {
      this.#end("reset");
      return false;
    }
    if (count === null) {
      this.#end("closed");
      return false;
    }
    this.#reader.push(this.#buffer.subarray(0, count));
    this.#takeFrames();
    return true;
  }

  /** Unless patience ended it already. */
  #end(how: Ending): void {
    if (this.#ending === "open") this.#ending = how;
  }

  #takeFrames(): void {
    if (!this.#isReading) return;
    for (const frame of this.#reader.take()) {
      this.view.see(frame);
      this.#answer(frame);
    }
  }

  #answer(frame: ReceivedFrame): void {
    const { isSilent, isGenerous } = this.#options;
    if (isGenerous && frame.type === TYPE.data && frame.payload.length > 0) {
      const { length } = frame.payload;
      void this.send(windowUpdate(0, length), windowUpdate(frame.stream, length));
    }
    if (isSilent || hasFlag(frame, FLAG.ack)) return;
    if (frame.type === TYPE.settings) void this.send(SETTINGS_ACK);
    if (frame.type === TYPE.ping) void this.send(ping(frame.payload, FLAG.ack));
  }
}
