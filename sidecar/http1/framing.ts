// How a body is delimited on the wire (RFC 9112 6).

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** To the end of the connection; responses only. */
  | { readonly kind: "close" };

/** `bytes[start, end)` as 1*DIGIT that a number holds exactly; undefined for anything else: a list, a sign, a space. */
export function contentLengthAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end === start || end - start > 16) return undefined;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
