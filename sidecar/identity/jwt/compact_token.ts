// The text of a signed token (RFC 7515, section 7.1) taken apart, before any key is looked for. Only one spelling of each
// part is taken, so that a token cannot say one thing here and another to a reader behind us. Checks no signature.
import { MAX_KID_LENGTH } from "../../lib/jwk.ts";
import { parseStrictJson } from "../../lib/strict_json.ts";
import type { Claims } from "./claims.ts";

/** RFC 6750 sets no limit; ours is a quarter of a head. */
export const MAX_TOKEN_LENGTH = 16_384;

export interface CompactToken {
  /** As the header has it: any text. */
  readonly alg: string;
  readonly kid: string | undefined;
  /** Not to be believed yet, but sound in form. */
  readonly claims: Claims & { readonly exp: number };
}

export type TokenReading =
  | { readonly ok: true; readonly token: CompactToken }
  /** `problem` never repeats what stood there. */
  | { readonly ok: false; readonly problem: string };

export function readCompactToken(text: string): TokenReading {
  if (text.length > MAX_TOKEN_LENGTH) return refuse(`longer than ${MAX_TOKEN_LENGTH} characters`);
  const parts = text.split(".");
  if (parts.length !== 3) return refuse("not three parts between dots");
  const [header, payload] = [readObject(parts[0]!), readObject(parts[1]!)];
  if (header === null) return refuse("the header is not base64url of one sound JSON object");
  if (payload === null) return refuse("the payload is not base64url of one sound JSON object");
  if (decode(parts[2]!) === null) return refuse("the signature is not base64url, or empty");
  const problem = headerProblem(header) ?? claimsProblem(payload);
  if (problem !== undefined) return refuse(problem);
  const kid = header["kid"] as string | undefined;
  const token = { alg: header["alg"] as string, kid, claims: payload as CompactToken["claims"] };
  return { ok: true, token };
}

/** `jwk`, `jku`, `x5u` and `x5c` are not looked at at all: a token does not bring its own key. */
function headerProblem(header: Claims): string | undefined {
  const { alg, kid, typ, crit } = header;
  if (typeof alg !== "string") return "its alg is not a text";
  if (alg.toLowerCase() === "none") return "alg none: it is not signed";
  if (kid !== undefined && (typeof kid !== "string" || kid.length > MAX_KID_LENGTH)) {
    return `its kid is not a text of at most ${MAX_KID_LENGTH} characters`;
  }
  if (typ !== undefined && typeof typ !== "string") return "its typ is not a text";
  // RFC 7515, section 4.1.11: what must be understood, and there is no extension that we understand.
  return crit === undefined ? undefined : "it has a critical header that is not understood";
}

/** The types of RFC 7519, section 4.1. A number too large for JSON's readers would be an end that never comes. */
function claimsProblem(claims: Claims): string | undefined {
  const { exp, aud } = claims;
  if (exp === undefined) return "it has no exp";
  for (const name of ["exp", "nbf", "iat"]) {
    const claim = claims[name];
    if (claim !== undefined && !Number.isSafeInteger(Math.trunc(Number(claim)))) {
      return `its ${name} is not a number of seconds`;
    }
    if (claim !== undefined && typeof claim !== "number") return `its ${name} is not a number`;
  }
  for (const name of ["iss", "sub", "jti"]) {
    const claim = claims[name];
    if (claim !== undefined && typeof claim !== "string") return `its ${name} is not a text`;
  }
  const audiences = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  const isTexts = audiences.every((audience) => typeof audience === "string");
  return isTexts ? undefined : "its aud is not a text or a list of texts";
}

function readObject(part: string): Claims | null {
  const bytes = decode(part);
  if (bytes === null) return null;
  try {
    const value = parseStrictJson(UTF8.decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Claims
      : null;
  } catch {
    return null;
  }
}

/** A byte order mark is no JSON (RFC 8259, section 8.1), and some readers skip it where others do not. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/** Null unless it is the one spelling of at least one byte: no padding, no space, no bits left over. */
function decode(part: string): Uint8Array | null {
  if (part === "") return null;
  try {
    const bytes = Uint8Array.fromBase64(part, BASE64URL);
    return bytes.toBase64(BASE64URL) === part ? bytes : null;
  } catch {
    return null;
  }
}

function refuse(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
