// A raw HTTP/1.1 client, for asking whether a proxy works and for holding connections open.

const RETRY_MS = 20;
const START_TIMEOUT_MS = 20_000;

/** A port on 127.0.0.1 that nobody listens on. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Resolves when somebody listens; rejects when `isOver` says that nobody will, or after 20 s. */
export async function waitForPort(port: number, isOver: () => boolean): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!isOver() && performance.now() < deadline) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  throw new Error(`nobody listens on port ${port}`);
}

export function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends `request` and resolves with the status and the length of the body, once all of it is read. */
export async function ask(
  connection: Deno.TcpConn,
  request: string,
): Promise<{ readonly status: number; readonly length: number }> {
  await connection.write(new TextEncoder().encode(request));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65536);
  let text = "";
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the connection was closed before the response was whole");
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1]);
    if (text.length >= end + 4 + length) return { status: Number(text.slice(9, 12)), length };
  }
}
