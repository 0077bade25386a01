// An upstream that writes down every request it gets, reads HTTP/1.1 to the letter by code of its own, and answers as
// the test says: also with what no honest server would send. Text stands for bytes: one character a byte.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { latin1, latin1Bytes } from "../../sidecar/lib/bytes.ts";
import { parseChunks } from "./raw_client.ts";

type Field = readonly [name: string, value: string];

export interface RecordedHead {
  /** Which connection it came on, from 1. */
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  /** Names in lower case, in order. */
  readonly fields: readonly Field[];
}

export interface RecordedRequest extends RecordedHead {
  readonly body: string;
  readonly trailers: readonly Field[];
}

/** One connection in the hands of a script. */
export interface BackendConnection {
  /** Resolves to true when the kernel has all of it, to false when the other side is gone. */
  write(text: string): Promise<boolean>;
  close(): void;
  /** Breaks the connection: what was not read is lost. */
  reset(): void;
  /** Takes nothing more from the kernel. */
  pause(): void;
  /** Resolves when the other side has closed or broken the connection. */
  gone(): Promise<void>;
  /** Resolves when the body that has come so far includes `text`, or is whole. */
  receive(text: string): Promise<void>;
}

/** Answers a request whose body may still be coming. */
export type Script = (connection: BackendConnection, head: RecordedHead) => Promise<void>;

export class RecordingBackend {
  /** Every whole request, in the order they came. */
  readonly requests: RecordedRequest[] = [];
  /** Targets of requests that were begun and never became whole. */
  readonly halves: string[] = [];
  /** What can be read in no way or in two: it should never have been forwarded. */
  readonly violations: string[] = [];
  connections = 0;
  readonly #server: Server;
  readonly #scripts = new Map<string, Script>();
  readonly #open = new Set<Connection>();
  readonly #served = new Set<Promise<void>>();

  static async start(): Promise<RecordingBackend> {
    const backend = new RecordingBackend();
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  private constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How requests of `target` are answered. Without a word about it: 200 and `METHOD TARGET`, behind the body. */
  on(target: string, script: Script): void {
    this.#scripts.set(target, script);
  }

  scriptOf(target: string): Script | undefined {
    return this.#scripts.get(target);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) connection.abort();
    await Promise.all(this.#served);
    await closed;
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this, socket, ++this.connections);
    this.#open.add(connection);
    this.#served.add(connection.serve().finally(() => this.#open.delete(connection)));
  }
}

class Connection implements BackendConnection {
  readonly #backend: RecordingBackend;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #closed = Promise.withResolvers<void>();
  #unread = "";
  /** The request under way was written down. */
  #isWhole = false;
  #isGone = false;
  #isClosed = false;
  #changed = Promise.withResolvers<void>();

  constructor(backend: RecordingBackend, socket: Socket, number: number) {
    this.#backend = backend;
    this.#socket = socket;
    this.#number = number;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => {
      this.#unread += latin1(bytes, 0, bytes.length);
      this.#change();
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("end", () => this.#leave());
    socket.on("close", () => {
      this.#leave();
      this.#closed.resolve();
    });
  }

  async gone(): Promise<void> {
    await this.#until(() => undefined);
  }

  async receive(text: string): Promise<void> {
    await this.#until(() => this.#isWhole || this.#unread.includes(text) || undefined);
  }

  async write(text: string): Promise<boolean> {
    if (this.#isGone) return false;
    return await new Promise((resolve) => {
      this.#socket.write(latin1Bytes(text), (error) => resolve(!error));
      this.#closed.promise.then(() => resolve(false));
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.end();
  }

  reset(): void {
    this.#isClosed = true;
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  abort(): void {
    this.#socket.destroy();
  }

  /** Reading goes on while a script answers, so that the other side's leaving is seen. */
  async serve(): Promise<void> {
    try {
      while (await this.#exchange());
    } catch (error) {
      this.#backend.violations.push(`${error}: ${JSON.stringify(this.#unread.slice(0, 300))}`);
      this.close();
    }
    await this.#closed.promise;
  }

  #leave(): void {
    this.#isGone = true;
    this.#change();
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  /** What `find` finds, as soon as it does; undefined when the other side is gone before. */
  async #until<T>(find: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const found = find();
      if (found !== undefined || this.#isGone) return found;
      await this.#changed.promise;
    }
  }

  async #exchange(): Promise<boolean> {
    const text = await this.#until(() => /^[^]*?\r\n\r\n/.exec(this.#unread)?.[0]);
    if (text === undefined) {
      if (this.#unread !== "") this.#backend.halves.push(this.#unread);
      return false;
    }
    const head = { connection: this.#number, ...parseHead(text.slice(0, -4)) };
    this.#unread = this.#unread.slice(text.length);
    this.#isWhole = false;
    this.#takeWhole(head);
    const script = this.#backend.scriptOf(head.target);
    if (script !== undefined) await script(this, head);
    if (!this.#isClosed) {
      await this.#until(() => this.#isWhole || this.#takeWhole(head) || undefined);
    }
    if (!this.#isWhole) this.#backend.halves.push(head.target);
    else if (script === undefined) {
      await this.write(ok(`${head.method} ${head.target}`, head.method));
    }
    return this.#isWhole && !this.#isClosed;
  }

  /** Takes the body off what came and writes the request down, if all of it is there. */
  #takeWhole(head: RecordedHead): boolean {
    const body = parseBody(head, this.#unread);
    if (body === undefined) return false;
    this.#unread = this.#unread.slice(body.end);
    this.#backend.requests.push({ ...head, body: body.body, trailers: body.trailers });
    this.#isWhole = true;
    return true;
  }
}

/** A response with a length. */
export function ok(body: string, method = "GET"): string {
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
  return method === "HEAD" ? head : head + body;
}

/** Every field of that name. */
export function fieldsOf(head: RecordedHead, name: string): string[] {
  return head.fields.filter(([other]) => other === name).map(([, value]) => value);
}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP\/1\.1$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

function parseHead(text: string): Omit<RecordedHead, "connection"> {
  const [requestLine = "", ...lines] = text.split("\r\n");
  const [, method, target] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined || target === undefined) throw new Error(`request line ${requestLine}`);
  const fields = lines.map((line): Field => {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`field line ${line}`);
    return [name.toLowerCase(), value];
  });
  const head = { connection: 0, method, target, fields };
  if (fieldsOf(head, "host").length !== 1) throw new Error("not one Host");
  const framing = [...fieldsOf(head, "content-length"), ...fieldsOf(head, "transfer-encoding")];
  if (framing.length > 1) throw new Error(`framed twice: ${framing}`);
  if (framing.length === 1 && !/^(\d{1,16}|chunked)$/.test(framing[0]!)) {
    throw new Error(`framed by ${framing}`);
  }
  return { method, target, fields };
}

interface WholeBody {
  readonly body: string;
  readonly trailers: readonly Field[];
  readonly end: number;
}

function parseBody(head: RecordedHead, text: string): WholeBody | undefined {
  if (fieldsOf(head, "transfer-encoding").length > 0) return parseChunks(text, 0);
  const length = Number(fieldsOf(head, "content-length")[0] ?? 0);
  if (text.length < length) return undefined;
  return { body: text.slice(0, length), trailers: [], end: length };
}
