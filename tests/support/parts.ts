// The ways of cutting bytes that no parser may notice.

/** One way of cutting: its name for the failure message, and the parts in order. */
export interface Cut {
  readonly name: string;
  readonly parts: readonly Uint8Array[];
}

/** Whole, byte by byte, and in two at each offset. */
export function* cuts(bytes: Uint8Array): Generator<Cut> {
  yield { name: "whole", parts: [bytes] };
  yield { name: "byte by byte", parts: [...bytes].map((byte) => Uint8Array.of(byte)) };
  for (let at = 1; at < bytes.length; at++) {
    yield { name: `cut at ${at}`, parts: [bytes.subarray(0, at), bytes.subarray(at)] };
  }
}

/** `bytes` cut behind each of `sizes` in turn; what is left is the last part. */
export function cutBy(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) break;
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length) parts.push(bytes.subarray(at));
  return parts;
}
