// Messages and bodies for tests of whatever writes or reads them.
import { type Body, BytesBody, EMPTY_BODY } from "../../sidecar/http/body.ts";
import { FieldList, type Fields } from "../../sidecar/http/fields.ts";
import type { Request, Response } from "../../sidecar/http/message.ts";
import { latin1, latin1Bytes } from "../../sidecar/lib/bytes.ts";
import { HeadParser } from "../../sidecar/http1/head_parser.ts";
import type { RawFields } from "../../sidecar/http1/raw_fields.ts";

/** A GET of `/` of `a`, unless told otherwise. */
export function requestOf(parts: Partial<Request> = {}): Request {
  return {
    method: "GET",
    form: "origin",
    scheme: "http",
    authority: "a",
    target: "/",
    version: "1.1",
    headers: FieldList.of({ host: "a" }),
    body: EMPTY_BODY,
    upgrade: undefined,
    acceptsTrailers: false,
    ...parts,
  };
}

/** A response with `text` for its body. */
export function responseOf(text: string, status = 200): Response {
  const bytes = latin1Bytes(text);
  const headers = FieldList.of({ "content-length": String(bytes.length) });
  return { status, headers, body: bytes.length === 0 ? EMPTY_BODY : new BytesBody(bytes) };
}

/** The field lines as HTTP/1.1 keeps them. */
export function rawFields(...lines: string[]): RawFields {
  const parser = new HeadParser("trailers", "downstream", {
    headBytes: 65536,
    headers: 1000,
    requestLineBytes: 16384,
  });
  const text = lines.map((line) => line + "\r\n").join("") + "\r\n";
  if (!parser.parse(latin1Bytes(text), 0, text.length)) throw new Error("not whole");
  return parser.fields;
}

/** A body whose length nobody knows and whose pieces come when the test gives them. */
export class PushBody implements Body {
  readonly length: number | undefined;
  isEnded = false;
  isCancelled = false;
  trailers: Fields | undefined;
  /** Pieces taken so far. */
  taken = 0;
  readonly #pieces: (Uint8Array | null | Error)[] = [];
  #wake: (() => void) | undefined;

  constructor(length?: number) {
    this.length = length;
  }

  give(...pieces: readonly (string | null | Error)[]): this {
    for (const piece of pieces) {
      this.#pieces.push(typeof piece === "string" ? latin1Bytes(piece) : piece);
    }
    this.#wake?.();
    return this;
  }

  take(): Uint8Array | null | undefined {
    if (this.isEnded) return null;
    const piece = this.#pieces.shift();
    if (piece instanceof Error) throw piece;
    if (piece !== undefined) this.taken++;
    if (piece === null) this.isEnded = true;
    return piece;
  }

  whole(): undefined {
    return undefined;
  }

  async pull(): Promise<void> {
    if (this.#pieces.length > 0 || this.isEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  cancel(): void {
    this.isCancelled = true;
    this.isEnded = true;
    this.#wake?.();
  }
}

/** Everything of a body, one character a byte. Throws what reading it throws. */
export async function textOf(body: Body): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = body.take();
    if (chunk === null) return text;
    if (chunk === undefined) await body.pull();
    else text += latin1(chunk, 0, chunk.length);
  }
}
