// Feeds a HeadParser the way a connection does: parts arrive behind each other, and what is there already may move.
import { ProxyError } from "../../sidecar/errors.ts";
import { latin1 } from "../../sidecar/lib/bytes.ts";
import { HeadParser } from "../../sidecar/http1/head_parser.ts";
import type { RawFields } from "../../sidecar/http1/raw_fields.ts";
import { ByteWriter } from "../../sidecar/lib/byte_writer.ts";

/** A whole head, read into `parser`, and the bytes behind it; or undefined where more is needed. */
export function readHead(parser: HeadParser, parts: readonly Uint8Array[]): string | undefined {
  let seen: Uint8Array = new Uint8Array();
  for (const [index, part] of parts.entries()) {
    seen = concat(seen, part);
    // Each time at another place, with bytes around it that are none of the head's.
    const before = index % 5;
    const buffer = new Uint8Array(before + seen.length + 3).fill(0xee);
    buffer.set(seen, before);
    if (parser.parse(buffer, before, before + seen.length)) {
      const rest = parts.slice(index + 1).reduce(concat, seen.subarray(parser.position));
      return latin1(rest, 0, rest.length);
    }
  }
  return undefined;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** What a parser made of some bytes, for comparing: its result, or its error. Any other error is thrown on. */
export function outcomeOf<T>(
  run: () => T,
): { readonly value: T } | {
  readonly error: readonly [kind: string, side: string, message: string];
} {
  try {
    return { value: run() };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { error: [error.kind, error.side, error.message] };
  }
}

/** The field lines as they would be written, without their line ends. */
export function writtenLines(fields: RawFields): string[] {
  const out = new ByteWriter(16);
  fields.writeTo(out);
  const text = latin1(out.bytes, 0, out.length);
  return text === "" ? [] : text.slice(0, -2).split("\r\n");
}
