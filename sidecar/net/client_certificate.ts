// A verified client certificate in words, for the services behind an edge: one element of x-forwarded-client-cert, as Envoy's
// documentation of that header has it.
import { distinguishedName } from "../identity/distinguished_name.ts";
import type { Certificate } from "./certificate.ts";

/** Of each kind of name; a certificate with hundreds must not fill the head of every request. */
const MAX_NAMES = 16;

/** `Hash=SHA-256 of the DER;Subject="CN=...,O=...";URI=...;DNS=...`; a part that is not there is left out. Throws DerError. */
export function describeClient(leaf: Certificate): string {
  const hash = leaf.fingerprint.replaceAll(":", "").toLowerCase();
  const subject = distinguishedName(leaf.subject);
  return [
    `Hash=${hash}`,
    ...(subject === "" ? [] : [`Subject="${subject}"`]),
    ...told("URI", leaf.uris),
    ...told("DNS", leaf.dnsNames),
  ].join(";");
}

/** A quote or a backslash belongs in no such name, and readers differ in what it ends: such a one is not told. */
function told(key: string, names: readonly string[]): string[] {
  return names.filter((name) => !/["\\]/.test(name)).slice(0, MAX_NAMES)
    .map((name) => `${key}=${/[,;=]/.test(name) ? `"${name}"` : name}`);
}
