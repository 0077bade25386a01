// A TCP server that sends back what it gets, and a word of its own once the client has ended its half.

const LAST_WORD = new TextEncoder().encode(", and that was all");

export class EchoServer implements AsyncDisposable {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Map<Deno.TcpConn, Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#accepting = this.#accept();
  }

  /** Open right now. */
  get connections(): number {
    return this.#open.size;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      const served = echo(connection).catch(() => {}).finally(() => {
        connection.close();
        this.#open.delete(connection);
      });
      this.#open.set(connection, served);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open.keys()) await connection.closeWrite();
    await this.#accepting;
    await Promise.all(this.#open.values());
  }
}

async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    await write(connection, buffer.subarray(0, count));
  }
  await write(connection, LAST_WORD);
}

async function write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}
