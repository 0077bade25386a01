// A trace collector in the test's own process: an OTLP receiver that keeps what comes, and refuses when told to.
import { readSpans, type ReceivedSpan } from "../../support/otlp.ts";
import { until } from "./until.ts";

export class Collector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** What each request is answered. */
  status = 200;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, async (request) => {
      const body = await request.bytes();
      const isOurs = new URL(request.url).pathname === "/v1/traces" &&
        request.headers.get("content-type") === "application/x-protobuf";
      if (!isOurs) return new Response(null, { status: 404 });
      if (this.status === 200) this.spans.push(...readSpans(body));
      return new Response(null, { status: this.status });
    });
  }

  /** For a sidecar's environment. */
  get env(): Readonly<Record<string, string>> {
    const { hostname, port } = this.#server.addr;
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${hostname}:${port}` };
  }

  /** Waits for so many spans of one trace. */
  async trace(traceId: string, count: number): Promise<ReceivedSpan[]> {
    return await until(`${count} spans of ${traceId}`, () => {
      const found = this.spans.filter((span) => span.traceId === traceId);
      return found.length >= count ? found : undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The spans as a tree in lines: service, kind and name, indented below their parents. */
export function treeOf(spans: readonly ReceivedSpan[]): string {
  const linesOf = (parentId: string, depth: number): string[] =>
    spans.filter((span) => span.parentId === parentId)
      .sort((a, b) => a.startMs - b.startMs)
      .flatMap(({ service, kind, name, spanId }) => [
        `${"  ".repeat(depth)}${service} ${kind} ${name}`,
        ...linesOf(spanId, depth + 1),
      ]);
  const known = new Set(spans.map(({ spanId }) => spanId));
  const roots = new Set(spans.map(({ parentId }) => parentId).filter((id) => !known.has(id)));
  return [...roots].flatMap((root) => linesOf(root, 0)).join("\n");
}
