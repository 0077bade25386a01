// One end of a TCP connection that speaks HTTP/1.1 by hand: tests say exactly which bytes go out and see which come in.

export interface Head {
  /** `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly startLine: string;
  /** By name in lower case; of several fields the last. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface Message extends Head {
  readonly body: string;
}

const CHUNK_BYTES = 65_536;
const CR = 13;
const LF = 10;

/** Whoever opens it closes it, by `using`. */
export class Wire implements Disposable {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #unread: Uint8Array = new Uint8Array();
  #isClosed = false;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async dial(port: number): Promise<Wire> {
    return new Wire(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async write(data: string | Uint8Array): Promise<void> {
    let bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    while (bytes.length > 0) bytes = bytes.subarray(await this.#connection.write(bytes));
  }

  /** What comes next, one byte at least; null at the end. A reset rejects. */
  async read(): Promise<Uint8Array | null> {
    if (this.#unread.length > 0) {
      const bytes = this.#unread;
      this.#unread = new Uint8Array();
      return bytes;
    }
    const count = await this.#connection.read(this.#buffer);
    return count === null ? null : this.#buffer.slice(0, count);
  }

  /** Null when the connection ends before another head begins. */
  async readHead(): Promise<Head | null> {
    let bytes: Uint8Array = new Uint8Array();
    for (;;) {
      const more = await this.read();
      if (more === null && bytes.length === 0) return null;
      if (more === null) throw new Error("the connection ended within a head");
      bytes = concat(bytes, more);
      const end = endOfHead(bytes);
      if (end === undefined) continue;
      this.#unread = bytes.slice(end);
      return parseHead(new TextDecoder().decode(bytes.subarray(0, end - 4)));
    }
  }

  /** Exactly `count` bytes. */
  async readBytes(count: number): Promise<Uint8Array> {
    const result = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const bytes = await this.read();
      if (bytes === null) throw new Error(`the connection ended ${count - filled} bytes early`);
      const wanted = bytes.subarray(0, count - filled);
      result.set(wanted, filled);
      filled += wanted.length;
      this.#unread = bytes.subarray(wanted.length);
    }
    return result;
  }

  /** A head and the body that its content-length announces; null when the connection ends before it. */
  async readMessage(): Promise<Message | null> {
    const head = await this.readHead();
    if (head === null) return null;
    if (head.fields.has("transfer-encoding")) throw new Error("a length was expected");
    const length = Number(head.fields.get("content-length") ?? 0);
    return { ...head, body: new TextDecoder().decode(await this.readBytes(length)) };
  }

  /** Sends a request and reads its response. */
  async exchange(request: string): Promise<Message> {
    await this.write(request);
    const message = await this.readMessage();
    if (message === null) throw new Error("the connection ended without a response");
    return message;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A GET as text. */
export function get(host: string, target = "/", fields = ""): string {
  return `GET ${target} HTTP/1.1\r\nhost: ${host}\r\n${fields}\r\n`;
}

/** A POST as text. */
export function post(host: string, body: string, target = "/", fields = ""): string {
  const length = new TextEncoder().encode(body).length;
  return `POST ${target} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: ${length}\r\n${fields}\r\n${body}`;
}

/** A response as text. */
export function answer(body: string, status = "200 OK", fields = ""): string {
  const length = new TextEncoder().encode(body).length;
  return `HTTP/1.1 ${status}\r\ncontent-length: ${length}\r\n${fields}\r\n${body}`;
}

export function statusOf({ startLine }: Head): number {
  return Number(startLine.split(" ")[1]);
}

/** Where the body begins; undefined while the empty line has not come. */
function endOfHead(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && bytes[at + 2] === CR && bytes[at + 3] === LF) return at + 4;
  }
  return undefined;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function parseHead(text: string): Head {
  const [startLine = "", ...lines] = text.split("\r\n");
  const fields = new Map(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  return { startLine, fields };
}
