// Reads the bodies of requests, which must be JSON, with a bound.

import { HttpError } from "./answers.ts";

/** 1 MiB: far above any honest request here, far below what would hurt. */
export const maxBodyBytes = 1024 * 1024;

/** A body longer than the bound; the stream it came from has been cancelled. */
class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/** Reads the JSON body of a request; every way in which it can be wrong is an HttpError (400, 413, 415). */
export async function readJson(request: Request): Promise<unknown> {
  requireJson(request.headers);
  if (Number(request.headers.get("content-length") ?? 0) > maxBodyBytes) throw tooLarge();
  try {
    return JSON.parse(await readText(request.body));
  } catch (error) {
    if (error instanceof BodyTooLarge) throw tooLarge();
    // SyntaxError from JSON.parse, TypeError from bytes that are not UTF-8.
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new HttpError(400, "invalid JSON");
    }
    throw error;
  }
}

/** Reads a body as strict UTF-8 text; throws BodyTooLarge over the bound, TypeError on other bytes. */
async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  if (body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new BodyTooLarge("the body is larger than 1 MiB");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function requireJson(headers: Headers): void {
  const essence = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (essence !== "application/json") {
    throw new HttpError(415, "content-type must be application/json");
  }
  const encoding = (headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity") throw new HttpError(415, "content-encoding is not supported");
}

function tooLarge(): HttpError {
  return new HttpError(413, "request body too large");
}
