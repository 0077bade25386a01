// The last good answers to GETs that anybody might have asked, for when their service cannot answer.
import { BytesBody } from "../http/body.ts";
import { FieldList, type Fields } from "../http/fields.ts";
import type { Request, Response } from "../http/message.ts";
import { LruMap } from "../lib/lru.ts";
import { RecordedBody } from "./recorded_body.ts";

/** With bodies of 64 KiB at most, 8 MiB in all. */
const MAX_ANSWERS = 128;

/** What says for whom an answer is. */
const PERSONAL = ["authorization", "cookie", "x-user-id", "x-forwarded-client-cert"] as const;

interface Kept {
  readonly headers: Fields;
  readonly body: RecordedBody | Uint8Array;
  readonly at: number;
}

interface Entry {
  complete: Kept | undefined;
  /** Its body is on its way to the client still, or was cut. */
  coming: Kept | undefined;
}

export class LastGood {
  readonly #entries = new LruMap<string, Entry>(MAX_ANSWERS);

  /** The response, whose body is remembered on its way where the answer may be shown to others. */
  keep(cluster: string, request: Request, response: Response, nowMs: number): Response {
    if (response.status !== 200 || !isForAnybody(request) || !mayBeShown(response)) return response;
    const key = keyOf(cluster, request);
    const entry = this.#entries.get(key) ?? { complete: undefined, coming: undefined };
    this.#entries.set(key, entry);
    settle(entry);
    const whole = response.body.whole();
    const headers = copyOf(response.headers);
    const body = whole?.slice() ?? new RecordedBody(response.body);
    entry.coming = { headers, body, at: nowMs };
    return { ...response, body: whole === undefined ? body as RecordedBody : new BytesBody(whole) };
  }

  /** Undefined where there is none that is young enough. */
  find(cluster: string, request: Request, maxAgeMs: number, nowMs: number): Response | undefined {
    if (!isForAnybody(request)) return undefined;
    const entry = this.#entries.get(keyOf(cluster, request));
    if (entry === undefined) return undefined;
    settle(entry);
    const { complete } = entry;
    if (complete === undefined || nowMs - complete.at > maxAgeMs) return undefined;
    const headers = copyOf(complete.headers);
    headers.set("age", String(Math.floor((nowMs - complete.at) / 1000)));
    return { status: 200, headers, body: new BytesBody((complete.body as Uint8Array).slice()) };
  }
}

/** What came whole meanwhile takes the place of the last. */
function settle(entry: Entry): void {
  const { coming } = entry;
  if (coming === undefined) return;
  const bytes = coming.body instanceof RecordedBody ? coming.body.recorded() : coming.body;
  if (bytes === undefined) return;
  entry.complete = { ...coming, body: bytes };
  entry.coming = undefined;
}

function isForAnybody({ method, headers, upgrade }: Request): boolean {
  return method === "GET" && upgrade === undefined && PERSONAL.every((name) => !headers.has(name));
}

function mayBeShown({ headers }: Response): boolean {
  if (headers.has("set-cookie") || headers.has("vary")) return false;
  return !/no-store|private/i.test(headers.get("cache-control") ?? "");
}

function keyOf(cluster: string, { target }: Request): string {
  return `${cluster} ${target}`;
}

function copyOf(headers: Fields): Fields {
  const copy = new FieldList();
  for (const [name, value] of headers) copy.append(name.toLowerCase(), value);
  return copy;
}
