// Part of the composition root: what checks tokens and what signs them, with the keys behind it.
import type { SigningConfig } from "./config/jwt_config.ts";
import { denoFilesIo } from "./control/files_io.ts";
import { type AuthDemand, Jwt } from "./filters/jwt.ts";
import type { ExchangeView } from "./filters/filter.ts";
import { Live } from "./filters/live.ts";
import { StripIdentity } from "./filters/strip_identity.ts";
import { KeySources } from "./identity/jwt/key_sources.ts";
import type { InboundJwtSettings, JwtSettings } from "./identity/jwt/settings.ts";
import {
  type SigningKey,
  signingPrivateKey,
  signingSecret,
  signToken,
} from "./identity/jwt/signer.ts";
import { TokenVerifier } from "./identity/jwt/verifier.ts";
import type { Clock } from "./lib/clock.ts";
import { fetchJson } from "./net/fetch_json.ts";
import type { Sign } from "./proxy/login.ts";
import type { Snapshot } from "./snapshot/snapshot.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface TokensOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The tokens of one sidecar: gateway and inbound side share their keys. */
export class Tokens {
  readonly inbound: Live<InboundJwtSettings, Jwt>;
  /** Goes by the route. Where no tokens are checked, nobody is anybody. */
  readonly edge: Live<JwtSettings, Jwt>;
  readonly #clock: Clock;
  readonly #sources: KeySources;
  readonly #verifiers = new WeakMap<Jwt, TokenVerifier>();

  constructor({ clock, log, metrics }: TokensOptions) {
    this.#clock = clock;
    const readText = readKeyFile;
    this.#sources = new KeySources({ fetchJson, readText, clock, random: Math.random, log });
    const release = (filter: Jwt) => this.#verifiers.get(filter)?.[Symbol.dispose]();
    this.inbound = new Live({
      name: "inbound-jwt",
      settingsOf: ({ inboundJwt }) => inboundJwt,
      make: (settings) => this.#make(settings, () => settings),
      release,
    });
    this.edge = new Live({
      name: "jwt",
      settingsOf: ({ edge }) => edge?.jwt,
      make: (settings) => this.#make(settings, ({ route }) => route),
      release,
      otherwise: new StripIdentity(),
    });
    exportKeys(metrics, this.#sources);
  }

  #make(
    settings: JwtSettings,
    demandOf: (exchange: ExchangeView) => AuthDemand | undefined,
  ): Jwt {
    const clock = this.#clock;
    const verifier = new TokenVerifier({ settings, sources: this.#sources, clock });
    const filter = new Jwt({ verifier, settings, clock, demandOf });
    this.#verifiers.set(filter, verifier);
    return filter;
  }

  /** Takes over what a snapshot says of tokens. */
  apply({ inboundJwt, edge }: Snapshot): void {
    this.inbound.apply(inboundJwt);
    this.edge.apply(edge?.jwt);
  }

  /** Renews no more keys. */
  close(): void {
    this.inbound.apply(undefined);
    this.edge.apply(undefined);
  }
}

/** What signs for the login. Throws Error with a message for the operator. */
export async function signerOf(signing: SigningConfig): Promise<Sign> {
  const key = signing.kind === "secret"
    ? await signingSecret(signing.secret, signing)
    : await privateKeyOf(signing);
  return (claims) => signToken(key, claims);
}

async function privateKeyOf(
  { path, ...choice }: Extract<SigningConfig, { kind: "private-key" }>,
): Promise<SigningKey> {
  try {
    return await signingPrivateKey(await readKeyFile(path), choice);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`gateway.login.signing.privateKey: ${path}: ${why}`);
  }
}

async function readKeyFile(path: string): Promise<string> {
  const bytes = await denoFilesIo.read(path);
  if (bytes === null) throw new Error("there is no such file");
  return new TextDecoder().decode(bytes);
}

function exportKeys(metrics: Metrics, sources: KeySources): void {
  const keys = metrics.gauge("mesh_jwks_keys", "Keys in force that check tokens, by source.");
  const age = metrics.gauge("mesh_jwks_age_seconds", "Since keys were last renewed, by source.");
  const failures = metrics.gauge(
    "mesh_jwks_failures",
    "Tries to renew keys that failed since the last that went well, by source.",
  );
  metrics.onRender(() => {
    for (const gauge of [keys, age, failures]) gauge.clear();
    for (const { name: jwks, current, ageMs, failures: count } of sources.all()) {
      keys.with({ jwks }).set(current?.keys.length ?? 0);
      failures.with({ jwks }).set(count);
      if (ageMs !== undefined) age.with({ jwks }).set(ageMs / 1000);
    }
  });
}
