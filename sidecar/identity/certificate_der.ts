// The parts of an X.509 certificate (RFC 5280, section 4.1) that a verifier must see as bytes and not as somebody's text of them.
import { latin1 } from "../lib/bytes.ts";
import {
  BIT_STRING,
  BOOLEAN,
  childrenOf,
  type DerElement,
  DerError,
  expectTag,
  INTEGER,
  objectIdentifier,
  OCTET_STRING,
  onlyElement,
  SEQUENCE,
  valueOf,
  wholeOf,
} from "./der.ts";

export interface CertificateExtension {
  readonly isCritical: boolean;
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array;
}

/** Views of the certificate's own bytes. */
export interface CertificateParts {
  /** What the signature covers. */
  readonly signed: Uint8Array;
  /** Object identifier of the algorithm, the same inside and outside of what is signed. */
  readonly algorithm: string;
  readonly signature: Uint8Array;
  /** Names as DER: equal bytes are equal names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Epoch milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** By object identifier; each at most once. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
}

const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Throws DerError where `der` is not one whole certificate. */
export function parseCertificateDer(der: Uint8Array): CertificateParts {
  const [body, algorithm, signature, ...rest] = childrenOf(der, onlyElement(der, SEQUENCE));
  if (rest.length > 0) throw new DerError("a fourth part in a certificate");
  const fields = childrenOf(der, expectTag(body, SEQUENCE));
  if (fields[0]?.tag === VERSION) fields.shift();
  const [serial, inner, issuer, validity, subject] = fields;
  expectTag(serial, INTEGER);
  const outerAlgorithm = algorithmOf(der, algorithm);
  if (algorithmOf(der, inner) !== outerAlgorithm) throw new DerError("two signature algorithms");
  const [notBefore, notAfter] = childrenOf(der, expectTag(validity, SEQUENCE));
  return {
    signed: wholeOf(der, expectTag(body, SEQUENCE)),
    algorithm: outerAlgorithm,
    signature: bitsOf(der, signature),
    issuer: wholeOf(der, expectTag(issuer, SEQUENCE)),
    subject: wholeOf(der, expectTag(subject, SEQUENCE)),
    notBeforeMs: timeOf(der, notBefore),
    notAfterMs: timeOf(der, notAfter),
    extensions: extensionsOf(der, fields.find(({ tag }) => tag === EXTENSIONS)),
  };
}

/** RFC 5280, section 4.1.2.5: two digits of the year in UTCTime, four in GeneralizedTime; both to the second, in UTC. */
function timeOf(der: Uint8Array, element: DerElement | undefined): number {
  if (element === undefined) throw new DerError("a certificate without dates");
  const text = latin1(der, element.start, element.end);
  const isShort = element.tag === UTC_TIME;
  const century = Number(text.slice(0, 2)) < 50 ? "20" : "19";
  const match = TIME.exec(isShort ? century + text : text);
  if (match === null || !(isShort || element.tag === GENERALIZED_TIME)) {
    throw new DerError("a date that is none");
  }
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new DerError("a date that is none");
  return ms;
}

function algorithmOf(der: Uint8Array, element: DerElement | undefined): string {
  return objectIdentifier(der, childrenOf(der, expectTag(element, SEQUENCE))[0]);
}

/** A BIT STRING of whole bytes. */
function bitsOf(der: Uint8Array, element: DerElement | undefined): Uint8Array {
  const value = valueOf(der, expectTag(element, BIT_STRING));
  if (value[0] !== 0) throw new DerError("a signature that is not whole bytes");
  return value.subarray(1);
}

function extensionsOf(
  der: Uint8Array,
  element: DerElement | undefined,
): Map<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>();
  if (element === undefined) return extensions;
  const [list, ...rest] = childrenOf(der, element);
  if (rest.length > 0) throw new DerError("two lists of extensions");
  for (const entry of childrenOf(der, expectTag(list, SEQUENCE))) {
    const parts = childrenOf(der, expectTag(entry, SEQUENCE));
    const id = objectIdentifier(der, parts[0]);
    if (extensions.has(id)) throw new DerError(`extension ${id} twice`);
    extensions.set(id, extensionOf(der, parts.slice(1)));
  }
  return extensions;
}

function extensionOf(der: Uint8Array, parts: readonly DerElement[]): CertificateExtension {
  const hasFlag = parts[0]?.tag === BOOLEAN;
  const isCritical = hasFlag && valueOf(der, parts[0]!).some((byte) => byte !== 0);
  if (parts.length !== (hasFlag ? 2 : 1)) throw new DerError("a bad extension");
  return { isCritical, value: valueOf(der, expectTag(parts.at(-1), OCTET_STRING)) };
}
