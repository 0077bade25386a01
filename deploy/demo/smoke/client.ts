// A client of the gateway: plain calls, and many at once.
import type { Address } from "../../../sidecar/config/bootstrap.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, with content-type application/json. */
  readonly body?: string;
  /** The same with whatever content-type `headers` has. */
  readonly raw?: string;
}

/** Longer than any timeout of the mesh. */
const TIMEOUT_MS = 20_000;

export class GatewayClient {
  readonly #address: Address;

  constructor(address: Address) {
    this.#address = address;
  }

  /** Rejects when no answer came at all. */
  async send(path: string, call: Call = {}): Promise<Answer> {
    const { method = call.body === undefined ? "GET" : "POST", token } = call;
    const body = call.body ?? call.raw;
    const headers = new Headers(call.headers);
    if (call.body !== undefined) headers.set("content-type", "application/json");
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const { host, port } = this.#address;
    const response = await fetch(`http://${host}:${port}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** A token for the user. */
  async login(username: string): Promise<string> {
    const { status, text } = await this.send("/login", { body: JSON.stringify({ username }) });
    if (status !== 200) throw new Error(`login answered ${status} ${text}`);
    return JSON.parse(text).token;
  }

  /** `count` equal GETs in the same moment, each on a connection that was there before. */
  async sendAtOnce(path: string, token: string, count: number): Promise<Answer[]> {
    const { host, port } = this.#address;
    const request = [
      `GET ${path} HTTP/1.1`,
      `host: ${host}:${port}`,
      `authorization: Bearer ${token}`,
      "connection: close",
      "\r\n",
    ].join("\r\n");
    const connections = await Promise.all(
      Array.from({ length: count }, () => Deno.connect({ hostname: host, port })),
    );
    return await Promise.all(connections.map((connection) => exchange(connection, request)));
  }
}

async function exchange(connection: Deno.Conn, request: string): Promise<Answer> {
  await connection.write(new TextEncoder().encode(request));
  const text = await new Response(connection.readable).text(); // to the end, which closes it
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const status = Number(statusLine.split(" ")[1]);
  return { status, headers: new Headers(fields), text: text.slice(end + 4) };
}
