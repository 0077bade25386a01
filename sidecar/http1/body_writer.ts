// Moves a body into a connection: small pieces gather in the out buffer, large ones go straight from the reader's
// memory, and nothing is pulled before what came last is with the kernel.
import { ProxyError } from "../errors.ts";
import type { ByteWriter } from "../lib/byte_writer.ts";
import type { Body } from "../http/body.ts";
import type { Transport } from "../net/transport.ts";
import { type BodyCoding, writeChunkSize, writeLastChunk } from "./serialize.ts";

/** From here on a second write is cheaper than the copy into the out buffer. */
const DIRECT_BYTES = 16384;

/** What moves a body keeps the count of what it moved, also when it fails on the way. */
export interface Progress {
  /** Bytes of the body under way, or of the last one. */
  bodyBytes: number;
  /** Something moved: the stall clock starts anew. */
  touch(): void;
}

/**
 * Writes what is in `out` and then the body. Resolves when all of it is with the kernel; until then `out` is not touched.
 * What is at hand at once leaves in one write, without a promise of our own.
 */
export function writeBody(
  transport: Transport,
  out: ByteWriter,
  body: Body,
  coding: BodyCoding,
  progress: Progress,
): Promise<void> {
  progress.bodyBytes = 0;
  if (coding === "none") {
    body.cancel();
    return flush(transport, out);
  }
  const rest = gather(out, body, coding, progress);
  if (rest !== null) return pump(transport, out, body, coding, progress, rest);
  return flush(transport, out);
}

/**
 * Copies small pieces behind what is in `out`. Returns what stopped it: null, the end, with the last chunk in `out`;
 * undefined, one must wait; or a piece that is not worth copying.
 */
function gather(
  out: ByteWriter,
  body: Body,
  coding: BodyCoding,
  progress: Progress,
): Uint8Array | null | undefined {
  while (out.length < DIRECT_BYTES) {
    const chunk = body.take();
    if (chunk === null) {
      if (coding === "chunked") writeLastChunk(out, body.trailers);
      else if (coding === "length") checkLength(body, progress.bodyBytes);
      return null;
    }
    if (chunk === undefined) return undefined;
    // A chunk of nothing is the last chunk to who reads it.
    if (chunk.length === 0) continue;
    progress.bodyBytes += chunk.length;
    if (coding === "chunked") writeChunkSize(out, chunk.length);
    if (chunk.length >= DIRECT_BYTES) return chunk;
    out.copy(chunk);
    if (coding === "chunked") out.crlf();
  }
  return NOTHING;
}

/** A body that was cancelled under way, or was never as long as it said, must not pass for a whole one. */
function checkLength(body: Body, written: number): void {
  if (written === body.length) return;
  throw new ProxyError("internal", `a body of ${body.length} bytes ended after ${written}`, {
    side: "local",
  });
}

const NOTHING = new Uint8Array();

/** Goes on where `gather` stopped: writes, and only then waits for more. */
async function pump(
  transport: Transport,
  out: ByteWriter,
  body: Body,
  coding: BodyCoding,
  progress: Progress,
  rest: Uint8Array | null | undefined,
): Promise<void> {
  for (;;) {
    if (out.length > 0) {
      await flush(transport, out);
      progress.touch();
    }
    if (rest === null) return;
    if (rest === undefined) await body.pull();
    else if (rest.length > 0) {
      await transport.write(rest);
      if (coding === "chunked") out.crlf();
    }
    progress.touch();
    rest = gather(out, body, coding, progress);
  }
}

function flush(transport: Transport, out: ByteWriter): Promise<void> {
  const bytes = out.view();
  out.reset();
  return transport.write(bytes);
}
