// Fetches a small JSON document that control needs, such as an issuer's keys. Not the data path: the runtime's own fetch
// brings TLS and name resolution with it.

export interface FetchedJson {
  readonly value: unknown;
  /** How long the server says that it stays good: `max-age` less what it is old already; undefined where it says nothing. */
  readonly maxAgeMs: number | undefined;
}

const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5_000;

/** Rejects with a plain message, also on a redirect: whom we ask is for the operator to say, not for a server. */
export async function fetchJson(url: string, signal: AbortSignal): Promise<FetchedJson> {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(new Error(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  const abort = () => cut.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await ask(url, cut.signal);
  } catch (error) {
    throw cut.signal.aborted ? cut.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

async function ask(url: string, signal: AbortSignal): Promise<FetchedJson> {
  const headers = { accept: "application/jwk-set+json, application/json" };
  const response = await fetch(url, { signal, headers, redirect: "manual" });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  const value = parse(await readText(response));
  return { value, maxAgeMs: maxAgeOf(response.headers) };
}

/** Counts while it reads: a content-length is a promise, and may be missing. */
async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The words of JSON.parse would repeat what stands there. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("answered with what is no JSON");
  }
}

/** RFC 9111, sections 4.2.1 and 5.1. `no-store` and `no-cache` say that it is good for this moment only. */
export function maxAgeOf(headers: Headers): number | undefined {
  const control = headers.get("cache-control")?.toLowerCase() ?? "";
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/.test(control)) return 0;
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})(?:$|[\s,"])/.exec(control)?.[1];
  if (maxAge === undefined) return undefined;
  const age = /^\d{1,9}$/.test(headers.get("age") ?? "") ? Number(headers.get("age")) : 0;
  return Math.max(0, Number(maxAge) - age) * 1000;
}
