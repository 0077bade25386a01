// A client that sends bytes as it is told and reads whatever comes, so that nothing is repaired on the way.
import { connect, type Socket } from "node:net";
import { latin1, latin1Bytes } from "../../sidecar/lib/bytes.ts";

/** Only reached by a test that fails: what it waits for then ends. */
const PATIENCE_MS = 10_000;

export interface RawResponse {
  readonly status: number;
  /** Names in lower case, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  get(name: string): string | undefined;
}

/** Text stands for bytes: one character a byte. */
export class RawClient {
  readonly #socket: Socket;
  readonly #timer: ReturnType<typeof setTimeout>;
  #received = "";
  #end: "open" | "closed" | "reset" | "impatient" = "open";
  #changed = Promise.withResolvers<void>();

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Nothing is taken from the kernel before the test reads.
    socket.pause();
    socket.on("data", (bytes: Uint8Array) => {
      this.#received += latin1(bytes, 0, bytes.length);
      this.#change();
    });
    socket.on("end", () => this.#ended("closed"));
    socket.on("error", () => this.#ended("reset"));
    socket.on("close", () => this.#ended("reset"));
    this.#timer = setTimeout(() => {
      this.#ended("impatient");
      socket.destroy();
    }, PATIENCE_MS);
  }

  /** What was received and not yet taken as a response. */
  get received(): string {
    return this.#received;
  }

  /** Resolves to true when the kernel has all of it, to false where the other side no longer takes it. */
  async send(text: string): Promise<boolean> {
    if (this.#socket.destroyed) return false;
    return await new Promise((resolve) => {
      this.#socket.write(latin1Bytes(text), (error) => resolve(!error));
      this.#socket.once("close", () => resolve(false));
    });
  }

  /** As `send`, each byte on its own. */
  async sendByteByByte(text: string): Promise<void> {
    for (const byte of text) await this.send(byte);
  }

  /** The next final response; informational ones before it go to `interims`. Throws when it does not come whole. */
  async response(method = "GET", interims: RawResponse[] = []): Promise<RawResponse> {
    for (;;) {
      const parsed = parseResponse(this.#received, method, this.#end !== "open");
      if (parsed !== undefined) {
        this.#received = this.#received.slice(parsed.length);
        if (parsed.response.status >= 200) return parsed.response;
        interims.push(parsed.response);
      } else if (!await this.#read()) {
        throw new Error(`no whole response (${this.#end}): ${this.#excerpt()}`);
      }
    }
  }

  /** Resolves when at least this much was received. Throws where it does not come. */
  async receive(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      if (!await this.#read()) {
        throw new Error(`never came (${this.#end}): ${this.#excerpt()}`);
      }
    }
  }

  /** Resolves when at least `count` bytes were received. Throws where they do not come. */
  async receiveBytes(count: number): Promise<void> {
    while (this.#received.length < count) {
      if (!await this.#read()) throw new Error(`only (${this.#end}): ${this.#excerpt()}`);
    }
  }

  /** Reads to the end: how the other side ended it, and what came until then. */
  async ended(): Promise<{ readonly how: "closed" | "reset"; readonly rest: string }> {
    while (await this.#read());
    const how = this.#end;
    if (how === "open" || how === "impatient") throw new Error("the connection was not closed");
    return { how, rest: this.#received };
  }

  #excerpt(): string {
    return `${this.#received.length} bytes, ${JSON.stringify(this.#received.slice(0, 300))}`;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  /** Breaks the connection. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#socket.resetAndDestroy();
  }

  /** Resolves to true when more was received, to false at the end. */
  async #read(): Promise<boolean> {
    if (this.#end !== "open") return false;
    const { length } = this.#received;
    this.#socket.resume();
    while (this.#received.length === length && this.#end === "open") await this.#changed.promise;
    this.#socket.pause();
    return this.#received.length > length;
  }

  #ended(how: "closed" | "reset" | "impatient"): void {
    if (this.#end === "open") this.#end = how;
    this.#change();
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

type Parsed = { readonly response: RawResponse; readonly length: number };

/** A response at the beginning of `text`; undefined when it is not whole. Throws on what is none. */
export function parseResponse(text: string, method: string, isEnded: boolean): Parsed | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 ([1-9]\d\d) [^\r\n]*$/.exec(statusLine)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
  const fields = lines.map(parseField);
  const get = (name: string) => fields.find(([other]) => other === name)?.[1];
  const start = end + 4;
  const made = (body: string, length: number, trailers: Parsed["response"]["trailers"] = []) => ({
    response: { status, fields, body, trailers, get },
    length,
  });
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return made("", start);
  if (get("transfer-encoding") === "chunked") {
    const chunks = parseChunks(text, start);
    return chunks && made(chunks.body, chunks.end, chunks.trailers);
  }
  const length = get("content-length");
  if (length === undefined) return isEnded ? made(text.slice(start), text.length) : undefined;
  const bodyEnd = start + Number(length);
  return text.length < bodyEnd ? undefined : made(text.slice(start, bodyEnd), bodyEnd);
}

function parseField(line: string): readonly [string, string] {
  const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
  if (field === null) throw new Error(`no field: ${JSON.stringify(line)}`);
  return [field[1]!.toLowerCase(), field[2]!];
}

export interface Chunks {
  readonly body: string;
  readonly trailers: readonly (readonly [string, string])[];
  readonly end: number;
}

/** A chunked body from `start` on; undefined when it is not whole. Throws on what is none. */
export function parseChunks(text: string, start: number): Chunks | undefined {
  let body = "";
  for (let at = start;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-f]{1,13}$/.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line)}`);
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) return parseTrailers(text, at, body);
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    at += size + 2;
    if (text.slice(at - 2, at) !== "\r\n") throw new Error("no CRLF behind a chunk");
  }
}

function parseTrailers(text: string, start: number, body: string): Chunks | undefined {
  if (text.startsWith("\r\n", start)) return { body, trailers: [], end: start + 2 };
  const end = text.indexOf("\r\n\r\n", start);
  if (end < 0) return undefined;
  return { body, trailers: text.slice(start, end).split("\r\n").map(parseField), end: end + 4 };
}
