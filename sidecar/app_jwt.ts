// Part of the composition root: what checks tokens and what signs them, with the keys behind it.
import type { JwtConfig, SigningConfig } from "./config/jwt_config.ts";
import { denoFilesIo } from "./control/files_io.ts";
import { InboundJwt, type JwtInForce } from "./filters/inbound_jwt.ts";
import { type AuthDemand, Jwt } from "./filters/jwt.ts";
import type { ExchangeView } from "./filters/filter.ts";
import { KeySources } from "./identity/jwt/key_sources.ts";
import type { JwtSettings } from "./identity/jwt/settings.ts";
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
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface TokensOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The tokens of one sidecar: gateway and inbound side share their keys. */
export class Tokens {
  readonly #clock: Clock;
  readonly #sources: KeySources;
  readonly inbound: InboundJwt;
  #edge: JwtInForce | undefined;

  constructor({ clock, log, metrics }: TokensOptions) {
    this.#clock = clock;
    const readText = readKeyFile;
    this.#sources = new KeySources({ fetchJson, readText, clock, random: Math.random, log });
    this.inbound = new InboundJwt((settings) => this.#make(settings, () => settings));
    exportKeys(metrics, this.#sources);
  }

  /** The filter of the gateway, which goes by the route. Called once. */
  edge(settings: JwtConfig): Jwt {
    this.#edge = this.#make(settings, ({ route }) => route);
    return this.#edge.filter;
  }

  #make(
    settings: JwtSettings,
    demandOf: (exchange: ExchangeView) => AuthDemand | undefined,
  ): JwtInForce {
    const clock = this.#clock;
    const verifier = new TokenVerifier({ settings, sources: this.#sources, clock });
    const filter = new Jwt({ verifier, settings, clock, demandOf });
    return { filter, [Symbol.dispose]: () => verifier[Symbol.dispose]() };
  }

  /** Renews no more keys. */
  close(): void {
    this.inbound.apply(undefined);
    this.#edge?.[Symbol.dispose]();
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
