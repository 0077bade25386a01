// What both actions of `sidecar token` read from their command line and from files.
import type { JwtConfig } from "../config/jwt_config.ts";
import type { Bootstrap } from "../config/bootstrap.ts";
import { ConfigError } from "../errors.ts";
import { type Algorithm, ALGORITHMS } from "../lib/jwk.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";
import { problemLines, readBootstrap, readInput } from "./read_config.ts";

const text = { type: "string" } as const;

export const COMMON_OPTIONS = {
  config: text,
  "secret-file": text,
  "key-file": text,
  issuer: text,
  audience: text,
  algorithm: text,
  json: { type: "boolean", default: false },
} as const;

/** Why a command ends without having done its work: a message for stderr and the exit code. */
export class TokenFailure extends Error {
  override readonly name = "TokenFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.badData) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Exactly one of the options must be there. */
export function requireOne(values: Readonly<Record<string, unknown>>, names: readonly string[]) {
  const given = names.filter((name) => values[name] !== undefined);
  if (given.length === 1) return;
  const all = names.map((name) => `--${name}`).join(", ");
  throw new UsageError(
    `${given.length === 0 ? "no key" : "more than one key"}, expected one of ${all}`,
  );
}

export function algorithmOption(name: string | undefined): Algorithm | undefined {
  if (name === undefined) return undefined;
  const algorithm = ALGORITHMS.find((known) => known === name);
  if (algorithm !== undefined) return algorithm;
  throw new UsageError(
    `unknown algorithm ${JSON.stringify(name)}, expected one of ${ALGORITHMS.join(", ")}`,
  );
}

/** An editor ends the last line of a file, and that is no part of the secret. */
export async function readSecret(path: string, host: Host): Promise<string> {
  return (await readInput(path, host)).replace(/\r?\n$/, "");
}

type Gateway = NonNullable<Bootstrap["gateway"]> & { readonly jwt: JwtConfig };

/** The gateway section that checks tokens. Throws TokenFailure with every problem of the file. */
export async function readGateway(path: string, host: Host): Promise<Gateway> {
  const { gateway } = await readConfig(path, host);
  if (gateway?.jwt === undefined) {
    throw new TokenFailure(`sidecar: ${path} has no gateway.jwt section\n`, EXIT.configuration);
  }
  return { ...gateway, jwt: gateway.jwt };
}

async function readConfig(path: string, host: Host): Promise<Bootstrap> {
  try {
    return await readBootstrap(path, host);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new TokenFailure(problemLines(error), EXIT.configuration);
  }
}

/** The exit code of `work`, whose failures are told on stderr. */
export async function tellFailure(host: Host, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TokenFailure)) throw error;
    host.err(error.message);
    return error.exitCode;
  }
}
