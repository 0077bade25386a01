// Signed tokens and forged ones, made from bytes and not by the library that checks them.

/** 32 bytes, the least that HS256 takes. */
export const SECRET = "0123456789abcdef0123456789abcdef";

export interface TokenParts {
  readonly header?: unknown;
  readonly secret?: string;
  readonly hash?: "SHA-256" | "SHA-512";
}

/** An HS256 token over `payload`; a string is taken as the payload's very bytes. */
export async function signToken(payload: unknown, parts: TokenParts = {}): Promise<string> {
  const { header = { alg: "HS256", typ: "JWT" }, secret = SECRET, hash = "SHA-256" } = parts;
  const signed = unsignedToken(header, payload);
  const key = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** `HEADER.PAYLOAD` without a signature. */
export function unsignedToken(header: unknown, payload: unknown): string {
  return `${encode(header)}.${encode(payload)}`;
}

/** The claims of a token, unchecked. */
export function claimsOf(token: string): Record<string, unknown> {
  const bytes = Uint8Array.fromBase64(token.split(".")[1]!, { alphabet: "base64url" });
  return JSON.parse(new TextDecoder().decode(bytes));
}

function encode(part: unknown): string {
  return base64url(
    new TextEncoder().encode(typeof part === "string" ? part : JSON.stringify(part)),
  );
}

export function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
