// The names of a certificate (subjectAltName, RFC 5280, section 4.2.1.6), read from its DER. Never from the text that runtimes
// make of it: Deno joins names without quoting, so one crafted name prints as two.
import { latin1 } from "../lib/bytes.ts";
import { parseCertificateDer } from "./certificate_der.ts";
import { childrenOf, DerError, onlyElement, SEQUENCE } from "./der.ts";

const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const DNS_NAME = 0x82;
const URI = 0x86;

/** Every URI name, in order. Throws DerError on a malformed certificate, and on a URI that is not printable ASCII. */
export function uriSansOf(der: Uint8Array): string[] {
  return namesOf(der, URI);
}

/** Every DNS name, in order. Throws like uriSansOf. */
export function dnsSansOf(der: Uint8Array): string[] {
  return namesOf(der, DNS_NAME);
}

function namesOf(der: Uint8Array, tag: number): string[] {
  const extension = parseCertificateDer(der).extensions.get(SUBJECT_ALTERNATIVE_NAME);
  if (extension === undefined) return [];
  const { value } = extension;
  return childrenOf(value, onlyElement(value, SEQUENCE))
    .filter((name) => name.tag === tag)
    .map((name) => printable(value, name.start, name.end));
}

/** IA5String without what no name needs: controls, blanks, NUL. */
function printable(bytes: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if (bytes[i]! <= 0x20 || bytes[i]! >= 0x7f) throw new DerError("a name that is not printable");
  }
  return latin1(bytes, start, end);
}
