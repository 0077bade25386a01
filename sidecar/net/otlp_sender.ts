// Posts spans to a collector by OTLP over HTTP (OTLP specification, "OTLP/HTTP"). Not the data path: the runtime's own fetch.
import { FinalRefusal } from "../telemetry/span_exporter.ts";

export interface OtlpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** Answers that the specification says to try again after. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Rejects with a plain message; FinalRefusal where trying again is no use. */
export async function sendSpans(
  { url, headers, timeoutMs }: OtlpTarget,
  body: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-protobuf" },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.body?.cancel();
  if (response.ok) return;
  const message = `${new URL(url).host} answered ${response.status}`;
  throw RETRYABLE.has(response.status) ? new Error(message) : new FinalRefusal(message);
}
