// A verified client certificate in words, for the services behind an edge: one element of x-forwarded-client-cert, as Envoy's
// documentation of that header has it.
import type { Certificate } from "./certificate.ts";

/** What may stand in a quoted value; whoever is called something else is told by the hash. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/** `Hash=SHA-256 of the DER;Subject="CN=...,O=...";URI=...`; a part that is not there, or cannot be written, is left out. */
export function describeClient(leaf: Certificate): string {
  const hash = leaf.fingerprint.replaceAll(":", "").toLowerCase();
  const subject = subjectOf(leaf);
  const uris = leaf.uris.filter((uri) => /^[\x21-\x7e]+$/.test(uri));
  return [
    `Hash=${hash}`,
    ...(subject === "" || !PRINTABLE.test(subject) ? [] : [`Subject=${quoted(subject)}`]),
    ...uris.map((uri) => `URI=${/[,;="\\]/.test(uri) ? quoted(uri) : uri}`),
  ].join(";");
}

/** Most specific first, as RFC 2253 writes names. */
function subjectOf({ x509 }: Certificate): string {
  return x509.subject.trim().split("\n").toReversed().join(",");
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
