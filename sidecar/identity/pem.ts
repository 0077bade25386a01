// Certificates in PEM (RFC 7468): the blocks of a text, and what is in them.

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Every certificate, each as PEM of its own, in order. */
export function certificatesIn(pem: string): string[] {
  return pem.match(CERTIFICATE) ?? [];
}

/** The DER of one block. Throws where it is not base64. */
export function derOf(block: string): Uint8Array<ArrayBuffer> {
  const text = block.replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
