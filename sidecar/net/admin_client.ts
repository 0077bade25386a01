// One question to the admin port of a sidecar, or one order: what the command line asks. Not the data path.

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 15_000;
const MAX_LINE = 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

/** The lines of a page that goes on, such as server-sent events. Rejects with a plain message where nobody answers. */
export async function* followAdmin(url: string, signal: AbortSignal): AsyncGenerator<string> {
  const response = await fetch(url, { signal, redirect: "manual" }).catch((error) => {
    throw plainError(error);
  });
  if (!response.ok) throw new Error(`answered ${response.status}`);
  let rest = "";
  for await (
    const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) throw new Error("a line that does not end");
    yield* lines;
  }
}

/** Rejects with a plain message where nobody answers. */
export async function callAdmin(method: "GET" | "POST", url: string): Promise<AdminAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, { method, signal, redirect: "manual" });
    const length = Number(response.headers.get("content-length") ?? 0);
    if (length > MAX_BYTES) throw new Error(`an answer of ${length} bytes`);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw plainError(error);
  }
}

/** What fetch says itself is that it failed; why stands in the cause. */
function plainError(error: unknown): Error {
  const { cause } = error as { readonly cause?: unknown };
  const reason = cause instanceof Error ? cause : error;
  return new Error(reason instanceof Error ? reason.message : String(reason));
}
