// `sidecar token issue`: a signed token for scripts and for trying things.
import type { LoginConfig } from "../config/bootstrap.ts";
import type { IssuerConfig, SigningConfig } from "../config/jwt_config.ts";
import { DURATION, parseDuration } from "../config/units.ts";
import {
  type SigningChoice,
  type SigningKey,
  signingPrivateKey,
  signingSecret,
  signToken,
} from "../identity/jwt/signer.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { readInput } from "./read_config.ts";
import {
  algorithmOption,
  COMMON_OPTIONS,
  readGateway,
  readSecret,
  requireOne,
  tellFailure,
  TokenFailure,
} from "./token_options.ts";

const text = { type: "string" } as const;
const texts = { type: "string", multiple: true, default: [] as string[] } as const;

function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArguments(args, {
    ...COMMON_OPTIONS,
    subject: text,
    kid: text,
    "expires-in": { ...text, default: "1h" },
    claim: texts,
    "claim-json": texts,
  });
  refuseMore(positionals);
  requireOne(values, ["config", "secret-file", "key-file"]);
  return values;
}

type Options = ReturnType<typeof readOptions>;

export async function issueToken(args: readonly string[], host: Host): Promise<number> {
  const options = readOptions(args);
  const said = claimsOf(options, host);
  return await tellFailure(host, async () => {
    const { key, claims } = await signer(options, host);
    const all = { ...claims, ...said };
    const token = await signToken(key, all);
    host.out(options.json ? `${JSON.stringify({ token, claims: all }, null, 2)}\n` : `${token}\n`);
    return EXIT.ok;
  });
}

/** What the command line says; it goes before what the configuration says. */
function claimsOf(options: Options, { clock }: Host): Record<string, unknown> {
  const lifetime = parseDuration(options["expires-in"], {
    positive: true,
    maxMs: Number.MAX_SAFE_INTEGER,
  });
  if (!lifetime.ok) throw new UsageError(`--expires-in: expected ${DURATION}`);
  const iat = Math.floor(clock.epoch() / 1000);
  const { subject, issuer, audience } = options;
  return {
    ...(subject === undefined ? {} : { sub: subject }),
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
    iat,
    exp: iat + Math.floor(lifetime.value / 1000),
    ...Object.fromEntries(options.claim.map((claim) => split(claim))),
    ...Object.fromEntries(options["claim-json"].map((claim) => {
      const [name, json] = split(claim);
      return [name, parseJson(name, json)];
    })),
  };
}

function split(claim: string): [name: string, value: string] {
  const at = claim.indexOf("=");
  if (at > 0) return [claim.slice(0, at), claim.slice(at + 1)];
  throw new UsageError(`--claim ${JSON.stringify(claim)}: expected NAME=VALUE`);
}

function parseJson(name: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UsageError(`--claim-json ${name}: not JSON`);
  }
}

interface Signer {
  readonly key: SigningKey;
  readonly claims: Readonly<Record<string, unknown>>;
}

async function signer(options: Options, host: Host): Promise<Signer> {
  const { config, "secret-file": secretFile, "key-file": keyFile, kid } = options;
  const choice = { algorithm: algorithmOption(options.algorithm), kid };
  if (config !== undefined) return await signerOfConfig(config, choice, host);
  const key = secretFile !== undefined
    ? await usable(
      secretFile,
      async () => signingSecret(await readSecret(secretFile, host), choice),
    )
    : await privateKey(keyFile ?? "", choice, host);
  return { key, claims: {} };
}

function privateKey(path: string, choice: SigningChoice, host: Host): Promise<SigningKey> {
  return usable(path, async () => signingPrivateKey(await readInput(path, host), choice));
}

/** A key that is none, told with the file that it stands in. */
async function usable(path: string, make: () => Promise<SigningKey>): Promise<SigningKey> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof Error) || error.name === "InputError") throw error;
    throw new TokenFailure(`sidecar: ${path}: ${error.message}\n`);
  }
}

/** As the gateway's own login signs; without one, by the first issuer that has a secret. */
async function signerOfConfig(path: string, choice: SigningChoice, host: Host): Promise<Signer> {
  const { jwt, login } = await readGateway(path, host);
  const found = login ?? loginOf(jwt.issuers);
  if (found === undefined) {
    throw new TokenFailure(
      `sidecar: ${path} has neither gateway.login nor a secret to sign with\n`,
    );
  }
  const { signing, issuer, audience } = found;
  const { algorithm = signing.algorithm, kid } = choice;
  const key = signing.kind === "secret"
    ? await usable(path, () => signingSecret(signing.secret, { algorithm, kid }))
    : await privateKey(signing.path, { algorithm, kid: kid ?? signing.kid }, host);
  const claims = {
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience }),
  };
  return { key, claims };
}

type Signs = Pick<LoginConfig, "issuer" | "audience"> & { readonly signing: SigningConfig };

function loginOf(issuers: readonly IssuerConfig[]): Signs | undefined {
  for (const { keys, issuer, audiences: [audience], algorithms } of issuers) {
    if (keys.kind !== "secret") continue;
    const algorithm = algorithms?.[0] ?? "HS256";
    return {
      signing: { kind: "secret", secret: keys.secret, algorithm },
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    };
  }
  return undefined;
}
