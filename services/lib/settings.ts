// What an operator may set: each setting is an environment variable and a flag of the same name, and the flag wins.

/** A setting by its environment name; `DATABASE_FILE` is `--database-file` on the command line. */
export interface Setting {
  readonly fallback: string;
  readonly about: string;
}

/** Every setting of a service; these four are common to all. */
export interface SettingTable {
  readonly [name: string]: Setting;
  readonly HOST: Setting;
  readonly PORT: Setting;
  readonly GRPC_PORT: Setting;
  readonly DATABASE_FILE: Setting;
}

/** The value of every setting of a table. */
export type Settings<Table extends SettingTable> = { readonly [Name in keyof Table]: string };

/** A setting or flag that cannot be used; `exitCode` follows sysexits. */
export class SettingError extends Error {
  override readonly name = "SettingError";
  readonly exitCode: 64 | 78;

  constructor(exitCode: 64 | 78, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What differs between the services; the settings have the same names. */
interface Defaults {
  readonly port: number;
  readonly grpcPort: number;
  readonly databaseFile: string;
}

/** The settings all services share, with the defaults of this one. */
export function commonSettings({ port, grpcPort, databaseFile }: Defaults) {
  return {
    HOST: { fallback: "127.0.0.1", about: "address to listen on" },
    PORT: { fallback: String(port), about: "port for HTTP" },
    GRPC_PORT: { fallback: String(grpcPort), about: "port for gRPC" },
    DATABASE_FILE: { fallback: databaseFile, about: "SQLite file, or :memory:" },
  } as const;
}

/** Reads flags, then the environment, then the defaults; an empty value counts as not set. */
export function readSettings<Table extends SettingTable>(
  table: Table,
  args: readonly string[],
  env: (name: string) => string | undefined,
): Settings<Table> {
  const flags = readFlags(Object.keys(table), args);
  const entries = Object.entries(table).map(([name, { fallback }]) =>
    [name, flags.get(name) || env(name) || fallback] as const
  );
  return Object.fromEntries(entries) as Settings<Table>;
}

/** The port number that a setting holds, 0 for any free one. */
export function parsePort(name: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) {
    throw new SettingError(78, `${name} must be an integer from 0 to 65535, not ${quoted(text)}`);
  }
  return port;
}

/** The answer to `--help`. */
export function describeSettings(service: string, table: SettingTable): string {
  const lines = Object.entries(table).map(([name, { fallback, about }]) =>
    `  ${flagOf(name)} VALUE  (or ${name})  ${about}; default ${fallback}`
  );
  return [`${service}: a demo service. Settings:`, ...lines, ""].join("\n");
}

function readFlags(names: readonly string[], args: readonly string[]): Map<string, string> {
  const byFlag = new Map(names.map((name) => [flagOf(name), name]));
  const values = new Map<string, string>();
  const rest = args.values();
  for (const arg of rest) {
    const [flag = "", ...inline] = arg.split("=");
    const name = byFlag.get(flag);
    if (name === undefined) throw new SettingError(64, `unknown argument ${quoted(arg)}`);
    const value = inline.length > 0 ? inline.join("=") : rest.next().value;
    if (value === undefined) throw new SettingError(64, `${flag} needs a value`);
    values.set(name, value);
  }
  return values;
}

function flagOf(name: string): string {
  return "--" + name.toLowerCase().replaceAll("_", "-");
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
