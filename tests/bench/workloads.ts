// What is asked for: the requests that every proxy gets alike, and what the backend answers; here those of HTTP/1.1.

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly method: "GET" | "POST";
  /** At the backend, which answers by it. */
  readonly path: string;
  /** `token` is for whoever asks for one. */
  headers(token: string): Readonly<Record<string, string>>;
  readonly body: string;
  /** Bytes of body that come back. */
  readonly responseBytes: number;
  readonly connections: number;
  /** Requests under way on each of them. */
  readonly streams: number;
  /** Of all connections together; without it as many as it takes. */
  readonly requestsPerSecond?: number;
}

/** As many as a JSON record of a small service has. */
export const SMALL_BYTES = 128;
export const LARGE_BYTES = 100_000;

const COMMON = { headers: requestHeaders, connections: 32, streams: 1 } as const;

export const WORKLOADS: readonly Workload[] = [
  {
    ...COMMON,
    name: "get",
    title: "GET, 128 bytes back",
    method: "GET",
    path: "/users/123",
    body: "",
    responseBytes: SMALL_BYTES,
  },
  {
    ...COMMON,
    name: "post",
    title: "POST of 1 KiB, 128 bytes back",
    method: "POST",
    path: "/users/123",
    body: JSON.stringify({ note: "" }).replace('""', `"${"n".repeat(1013)}"`),
    responseBytes: SMALL_BYTES,
  },
  {
    ...COMMON,
    name: "large",
    title: "GET, 100 kB back",
    method: "GET",
    path: "/users/large",
    body: "",
    responseBytes: LARGE_BYTES,
  },
];

/** What a browser or a service's client sends; the same to every proxy. The outbound listener goes by Host. */
export function requestHeaders(token: string): Record<string, string> {
  return {
    "Host": "user-service",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "application/json, text/plain;q=0.9, */*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Authorization": `Bearer ${token}`,
    "Cookie": "session=9f86d081884c7d659a2feaa0c55ad015; theme=dark; consent=necessary",
    "X-Request-Id": "0b6f0f6e-3c3a-4bd1-9d6c-5a3b8f0c7d21",
  };
}

/** One request as text, for asking whether a proxy works. */
export function requestText(
  { method, body }: Workload,
  path: string,
  headers: Readonly<Record<string, string>>,
): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === "" ? "" : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\n${fields}${length}\r\n${body}`;
}
