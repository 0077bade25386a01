// `/recent` and `/tap`: the last failures, and exchanges as they end.
import type { Journal, JournalEntry } from "../telemetry/journal.ts";

/** Entries that wait for a slow reader; what comes then is left out and counted. */
const MAX_QUEUED = 1000;
/** So that both ends notice when the other is gone. */
const HEARTBEAT_MS = 15_000;

const ENCODER = new TextEncoder();

/** What an entry must say; all that is left out may be anything. */
export interface JournalFilter {
  readonly id: string | undefined;
  readonly upstream: string | undefined;
  readonly listener: string | undefined;
  readonly reason: string | undefined;
  /** The beginning of the path. */
  readonly path: string | undefined;
  /** `503`, or a class such as `5xx`. */
  readonly status: string | undefined;
}

export function filterOf(parameters: URLSearchParams): JournalFilter {
  const of = (name: string) => parameters.get(name) ?? undefined;
  return {
    id: of("id"),
    upstream: of("upstream"),
    listener: of("listener"),
    reason: of("reason"),
    path: of("path"),
    status: of("status"),
  };
}

export function isWanted(entry: JournalEntry, filter: JournalFilter): boolean {
  const { id, upstream, listener, reason, path, status } = filter;
  const isStatus = status === undefined || String(entry.status) === status ||
    (/^[1-5]xx$/.test(status) && String(entry.status)[0] === status[0]);
  return isStatus && (id === undefined || entry.requestId === id || entry.traceId === id) &&
    (upstream === undefined || entry.upstream === upstream) &&
    (listener === undefined || entry.listener === listener) &&
    (reason === undefined || entry.reason === reason) &&
    (path === undefined || entry.path.startsWith(path));
}

/** Server-sent events, one an exchange, until the reader leaves. */
export function tapResponse(journal: Journal, filter: JournalFilter): Response {
  let following: Disposable | undefined;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let left = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (text: string) => controller.enqueue(ENCODER.encode(text));
      send(": tapping\n\n");
      following = journal.follow({
        entry(entry) {
          if (!isWanted(entry, filter)) return;
          if ((controller.desiredSize ?? 0) <= -MAX_QUEUED) {
            left++;
            return;
          }
          if (left > 0) send(`event: left-out\ndata: ${left}\n\n`);
          left = 0;
          send(`data: ${JSON.stringify(entry)}\n\n`);
        },
        end() {
          clearInterval(heartbeat);
          controller.close();
        },
      });
      heartbeat = setInterval(() => send(": still here\n\n"), HEARTBEAT_MS);
    },
    cancel() {
      following?.[Symbol.dispose]();
      clearInterval(heartbeat);
    },
  }, { highWaterMark: 1 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}
