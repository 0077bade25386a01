// `sidecar ca show`: what certificates say, in words. Of keys it tells nothing.
import { Certificate } from "../net/certificate.ts";
import { certificatesIn } from "../identity/pem.ts";
import { parseArguments } from "./arguments.ts";
import { AUTHORITY_OPTIONS, storeOf, tellFailure } from "./ca_options.ts";
import { InputError, inputError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

interface Shown {
  readonly file: string;
  readonly kind: "root or intermediate" | "leaf";
  readonly names: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly state: "good" | "expired" | "not valid yet";
  /** SHA-256 of the DER. */
  readonly fingerprint: string;
  readonly key: string;
}

export async function showCertificates(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...AUTHORITY_OPTIONS,
    json: { type: "boolean", default: false },
  });
  const store = storeOf(values, host);
  return await tellFailure(host, async () => {
    const files = positionals.length > 0
      ? positionals.map((file) => ({ file, isOptional: false }))
      : [
        { file: store.rootPath, isOptional: false },
        { file: store.nextPath, isOptional: true },
        { file: store.trustPath, isOptional: true },
      ];
    const shown: Shown[] = [];
    for (const { file, isOptional } of files) {
      const text = await readPem(file, host);
      if (text === null && isOptional) continue;
      if (text === null) throw new InputError(`cannot read ${file}: no such file`);
      const certificates = showFile(file, text, host.clock.epoch());
      if (certificates === undefined) {
        host.err(`sidecar: ${file}: there is no certificate in it that can be read\n`);
        return EXIT.badData;
      }
      shown.push(...certificates);
    }
    host.out(values.json ? `${JSON.stringify(shown, null, 2)}\n` : shown.map(inWords).join("\n"));
    return EXIT.ok;
  });
}

/** Null: there is no such file. */
async function readPem(file: string, host: Host): Promise<string | null> {
  try {
    return await host.identityFiles.read(file);
  } catch (error) {
    throw inputError(file, error);
  }
}

/** Undefined where there is nothing to be shown. */
function showFile(file: string, pem: string, nowMs: number): Shown[] | undefined {
  try {
    const blocks = certificatesIn(pem);
    return blocks.length === 0 ? undefined : blocks.map((block) => show(file, block, nowMs));
  } catch {
    // What the parser says may quote the file.
    return undefined;
  }
}

function show(file: string, pem: string, nowMs: number): Shown {
  const certificate = new Certificate(pem);
  const { notBeforeMs, notAfterMs, isAuthority, uris, fingerprint, x509 } = certificate;
  const { asymmetricKeyType = "unknown", asymmetricKeyDetails } = x509.publicKey;
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  return {
    file,
    kind: isAuthority ? "root or intermediate" : "leaf",
    names: uris,
    notBefore: new Date(notBeforeMs).toISOString(),
    notAfter: new Date(notAfterMs).toISOString(),
    state: nowMs >= notAfterMs ? "expired" : nowMs < notBeforeMs ? "not valid yet" : "good",
    fingerprint,
    key: [asymmetricKeyType, namedCurve ?? modulusLength].filter((part) => part !== undefined)
      .join(" "),
  };
}

function inWords({ file, kind, names, notBefore, notAfter, state, fingerprint, key }: Shown) {
  return `${file}: ${kind}, ${state}
  names        ${names.join(", ") || "none"}
  good         ${notBefore} to ${notAfter}
  key          ${key}
  fingerprint  ${fingerprint}
`;
}
