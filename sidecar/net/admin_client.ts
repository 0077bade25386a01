// One question to the admin port of a sidecar, or one order: what the command line asks. Not the data path.

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Rejects with a plain message where nobody answers. */
export async function callAdmin(method: "GET" | "POST", url: string): Promise<AdminAnswer> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, { method, signal, redirect: "manual" });
    const length = Number(response.headers.get("content-length") ?? 0);
    if (length > MAX_BYTES) throw new Error(`an answer of ${length} bytes`);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    // What fetch says itself is that it failed; why stands in the cause.
    const { cause } = error as { readonly cause?: unknown };
    const reason = cause instanceof Error ? cause.message : error;
    throw new Error(reason instanceof Error ? reason.message : String(reason));
  }
}
