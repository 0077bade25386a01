// `sidecar token verify`: whether a gateway would take a token, and if not, exactly why.
import { KeySources } from "../identity/jwt/key_sources.ts";
import type { IssuerSettings, JwtSettings, KeyOrigin } from "../identity/jwt/settings.ts";
import { TokenVerifier, type Verification } from "../identity/jwt/verifier.ts";
import { hmacAlgorithms } from "../lib/jwk.ts";
import { Logger } from "../telemetry/log.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
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

function readOptions(args: readonly string[]) {
  const { values, positionals } = parseArguments(args, {
    ...COMMON_OPTIONS,
    jwks: { type: "string" },
  });
  const [token, ...more] = positionals;
  refuseMore(more);
  requireOne(values, ["config", "secret-file", "key-file", "jwks"]);
  return { ...values, token };
}

type Options = ReturnType<typeof readOptions>;

export async function verifyToken(args: readonly string[], host: Host): Promise<number> {
  const options = readOptions(args);
  return await tellFailure(host, async () => {
    const settings = await settingsOf(options, host);
    const token = options.token ?? await host.readStdin();
    return tell(await verify(token.trim(), settings, host), options, host);
  });
}

type Checked = Pick<JwtSettings, "issuers" | "clockSkewMs" | "requiredClaims">;

async function verify(token: string, settings: Checked, host: Host): Promise<Verification> {
  const { clock } = host;
  let problem = "";
  const sources = new KeySources({
    fetchJson: (url, signal) => host.fetchJson(url, signal),
    readText: (path) => readInput(path, host),
    clock,
    random: () => 0,
    log: new Logger({
      level: "warn",
      format: "json",
      now: () => clock.epoch(),
      write: (line) => problem = String(JSON.parse(line)["error"]),
    }),
  });
  using verifier = new TokenVerifier({ settings, sources, clock });
  const verification = await verifier.verify(token);
  if (verification.kind === "bad" || verification.kind === "good") return verification;
  throw new TokenFailure(`sidecar: the keys cannot be had: ${problem}\n`, EXIT.unavailable);
}

function tell(verification: Verification, { json }: Options, host: Host): number {
  if (verification.kind === "good") {
    const { claims } = verification;
    host.out(`${JSON.stringify(json ? { ok: true, claims } : claims, null, 2)}\n`);
    return EXIT.ok;
  }
  const reason = verification.kind === "bad" ? verification.reason : verification.kind;
  if (json) host.out(`${JSON.stringify({ ok: false, reason }, null, 2)}\n`);
  else host.err(`refused: ${reason}\n`);
  return EXIT.badData;
}

async function settingsOf(options: Options, host: Host): Promise<Checked> {
  const { config, issuer, audience } = options;
  const algorithm = algorithmOption(options.algorithm);
  const narrowed = {
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audiences: [audience] }),
    ...(algorithm === undefined ? {} : { algorithms: [algorithm] }),
  };
  if (config !== undefined) {
    const { jwt } = await readGateway(config, host);
    const own = jwt.issuers.filter((each) => (issuer ?? each.issuer) === each.issuer);
    return { ...jwt, issuers: own.map((each) => ({ ...each, ...narrowed })) };
  }
  const keys = await originOf(options, host);
  const one: IssuerSettings = { audiences: [], ...narrowed, keys };
  return { issuers: [one], clockSkewMs: 0, requiredClaims: new Map() };
}

async function originOf(options: Options, host: Host): Promise<KeyOrigin> {
  const { "secret-file": secretFile, "key-file": keyFile, jwks = "" } = options;
  if (keyFile !== undefined) return { kind: "public-key", path: keyFile };
  if (secretFile === undefined) {
    return /^https?:\/\//.test(jwks)
      ? { kind: "jwks-uri", url: jwks }
      : { kind: "jwks-file", path: jwks };
  }
  const secret = await readSecret(secretFile, host);
  if (hmacAlgorithms(new TextEncoder().encode(secret).length).length > 0) {
    return { kind: "secret", secret };
  }
  throw new TokenFailure(`sidecar: ${secretFile}: the secret is shorter than 32 bytes\n`);
}
