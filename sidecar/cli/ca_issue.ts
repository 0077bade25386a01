// `sidecar ca issue`: the files of identity.files for one service.
import { DEFAULTS } from "../config/defaults.ts";
import { DURATION, parseDuration } from "../config/units.ts";
import { formatId } from "../identity/spiffe.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import { AUTHORITY_OPTIONS, segmentOf, storeOf, tellFailure } from "./ca_options.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

const OPTIONS = {
  ...AUTHORITY_OPTIONS,
  service: { type: "string" },
  namespace: { type: "string", default: DEFAULTS["identity.namespace"].value },
  ttl: { type: "string", default: DEFAULTS["identity.selfSigned.leafLife"].value },
  out: { type: "string" },
} as const;

export async function issueCertificate(args: readonly string[], host: Host): Promise<number> {
  const { values, positionals } = parseArguments(args, OPTIONS);
  refuseMore(positionals);
  const { out, ttl, "trust-domain": trustDomain } = values;
  if (out === undefined || out === "") throw new UsageError("missing --out DIR");
  const store = storeOf(values, host);
  const id = formatId({
    trustDomain,
    namespace: segmentOf("namespace", values.namespace),
    service: segmentOf("service", values.service),
  });
  const lifeMs = lifeOf(ttl);
  return await tellFailure(host, async () => {
    const { authority, trustPem } = await store.load();
    const leaf = await authority.issue(id, { nowMs: host.clock.epoch(), lifeMs });
    const { identityFiles: files } = host;
    // The key first: a certificate whose key is not there yet is the worse half to find alone.
    await files.replace(`${out}/trust.pem`, trustPem.map((pem) => `${pem.trim()}\n`).join(""));
    await files.replace(`${out}/key.pem`, leaf.privateKeyPem);
    await files.replace(`${out}/certificate.pem`, leaf.certificatePem);
    const until = new Date(leaf.notAfterMs).toISOString();
    host.out(`${out}: certificate.pem, key.pem and trust.pem of ${id}, good until ${until}\n`);
    return EXIT.ok;
  });
}

function lifeOf(ttl: string): number {
  const parsed = parseDuration(ttl, { positive: true, maxMs: Number.MAX_SAFE_INTEGER });
  if (!parsed.ok) throw new UsageError(`--ttl: expected ${DURATION}`);
  return parsed.value;
}
