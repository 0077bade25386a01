// Part of the composition root: where the transcoders of the gateway's routes get their descriptors.
import { denoFilesIo } from "./control/files_io.ts";
import { ConfigError, ProxyError } from "./errors.ts";
import { DescriptorPool } from "./grpc/descriptors.ts";
import { reflect, REFLECTION_PATHS } from "./grpc/reflection.ts";
import { Transcoder } from "./grpc/transcoder/transcoder.ts";
import { callRequest, failureOf, messagesIn } from "./grpc/unary.ts";
import { readBody } from "./http/body.ts";
import type { Response } from "./http/message.ts";
import type { Clock } from "./lib/clock.ts";
import type { Exchange } from "./proxy/exchange.ts";
import type { Forwarder } from "./proxy/forward.ts";
import { grpcStatusOf } from "./proxy/rescue.ts";
import type { Route, TranscodeSettings } from "./snapshot/snapshot.ts";

/** A service that was deployed anew may say something else. */
const REFLECTION_AGE_MS = 60_000;
const REFLECTION_TIMEOUT_MS = 5000;
/** One answer of reflection: a file and all that it imports. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

type TranscodedRoute = Pick<Route, "transcode" | "match" | "rewrite">;

interface Reflected {
  readonly transcoder: Promise<Transcoder>;
  readonly since: number;
}

/** Hands each route its transcoder. */
export class Transcoders {
  readonly #forwarder: Forwarder;
  readonly #clock: Clock;
  /** By what the operator wrote, so that routes that say the same share one. */
  readonly #fixed = new Map<string, Transcoder>();
  #newest: ReadonlySet<string> = new Set();
  readonly #reflected = new Map<string, Reflected>();

  constructor(forwarder: Forwarder, clock: Clock) {
    this.#forwarder = forwarder;
    this.#clock = clock;
  }

  /** Reads the files that routes name, but for those that are known; what only older routes name is forgotten. Throws ConfigError. */
  async load(routes: readonly TranscodedRoute[]): Promise<void> {
    const keys = new Set<string>();
    for (const route of routes) {
      const { transcode } = route;
      if (transcode === undefined || transcode.from.kind === "reflection") continue;
      const key = JSON.stringify(transcode);
      keys.add(key);
      const transcoder = this.#fixed.get(key) ?? await transcoderOfFiles(transcode);
      checkReach(route, transcoder, transcode.from);
      this.#fixed.set(key, transcoder);
    }
    // Exchanges that began under the routes in force until now ask for theirs still.
    for (const key of this.#fixed.keys()) {
      if (!keys.has(key) && !this.#newest.has(key)) this.#fixed.delete(key);
    }
    this.#newest = keys;
  }

  of = (route: Route, exchange: Exchange): Transcoder | undefined | Promise<Transcoder> => {
    const { transcode } = route;
    if (transcode === undefined) return undefined;
    if (transcode.from.kind !== "reflection") return this.#fixed.get(JSON.stringify(transcode));
    const key = `${route.to} ${JSON.stringify(transcode)}`;
    const now = this.#clock.now();
    const known = this.#reflected.get(key);
    if (known !== undefined && now - known.since < REFLECTION_AGE_MS) return known.transcoder;
    const fresh = this.#reflect(transcode, exchange);
    const entry = { transcoder: fresh, since: now };
    this.#reflected.set(key, entry);
    // What failed is asked again by the next request; the last good answer goes on meanwhile.
    fresh.catch(() => {
      if (this.#reflected.get(key) !== entry) return;
      if (known === undefined) this.#reflected.delete(key);
      else this.#reflected.set(key, known);
    });
    return known === undefined ? fresh : fresh.catch(() => known.transcoder);
  };

  async #reflect(transcode: TranscodeSettings, exchange: Exchange): Promise<Transcoder> {
    let failure: unknown;
    for (const path of REFLECTION_PATHS) {
      try {
        const pool = await reflect((bytes) => this.#ask(path, bytes, exchange));
        return makeTranscoder(pool, transcode);
      } catch (error) {
        failure ??= error;
        if (!(error instanceof ProxyError) || error.kind !== "not-implemented") break;
      }
    }
    if (!(failure instanceof ConfigError)) throw failure;
    throw new ProxyError("upstream-protocol", failure.message, { side: "upstream" });
  }

  async #ask(path: string, bytes: Uint8Array, exchange: Exchange): Promise<Uint8Array[]> {
    const cluster = exchange.cluster!;
    const request = callRequest(path, cluster.name, bytes);
    const response = await this.#forwarder.forward(
      exchange,
      cluster,
      REFLECTION_TIMEOUT_MS,
      request,
    );
    const body = await readBody(response.body, MAX_ANSWER_BYTES);
    checkEnd(response);
    return messagesIn(body ?? new Uint8Array(), MAX_ANSWER_BYTES);
  }
}

function checkEnd(response: Response): void {
  const failure = failureOf(response);
  if (failure === undefined) return;
  const { said, message = "" } = failure;
  throw new ProxyError(
    said === "UNIMPLEMENTED" ? "not-implemented" : "upstream-protocol",
    `the service does not describe itself by reflection: ${said} ${message}`,
    { side: "upstream" },
  );
}

/** A route that no rule answers to would answer 404 to everybody. */
function checkReach(
  { match: { path, methods }, rewrite }: TranscodedRoute,
  transcoder: Transcoder,
  from: Exclude<TranscodeSettings["from"], { kind: "reflection" }>,
): void {
  if (transcoder.reaches(rewrite ?? path, methods)) return;
  const file = from.kind === "set" ? from.path : from.paths[0]!;
  const seen = rewrite === undefined ? path : `${path}, which becomes ${rewrite}`;
  const wanted = methods.length === 0 ? "" : ` by ${methods.join(", ")}`;
  const message = `no google.api.http rule in it takes what the route ${seen} sends on${wanted}`;
  throw new ConfigError([{ file, line: 1, column: 1, path: "", message }]);
}

async function transcoderOfFiles(transcode: TranscodeSettings): Promise<Transcoder> {
  const { from } = transcode;
  if (from.kind === "set") {
    return makeTranscoder(DescriptorPool.ofSet(await readFile(from.path), from.path), transcode);
  }
  if (from.kind !== "protos") throw new Error("reflection reads no files");
  const roots = rootsOf(from);
  const sources = new Map<string, string>();
  for (const path of from.paths) sources.set(nameOf(path, roots), decode(await readFile(path)));
  const pool = await DescriptorPool.ofProtos(sources, (name) => readImport(name, roots));
  return makeTranscoder(pool, transcode);
}

/** Where imports are looked for: where the operator said, and then beside the files that were named. */
function rootsOf(
  { paths, include }: Extract<TranscodeSettings["from"], { kind: "protos" }>,
): ReadonlySet<string> {
  const beside = paths.map((path) => path.slice(0, path.lastIndexOf("/") + 1));
  const under = include.map((directory) => directory.endsWith("/") ? directory : `${directory}/`);
  return new Set([...under, ...beside]);
}

/** A file as others import it, so that one that is named and imported too is one file. */
function nameOf(path: string, roots: ReadonlySet<string>): string {
  const root = [...roots].find((directory) => path.startsWith(directory)) ?? "";
  return path.slice(root.length);
}

async function readImport(name: string, roots: ReadonlySet<string>): Promise<string | undefined> {
  for (const directory of roots) {
    const bytes = await denoFilesIo.read(directory + name);
    if (bytes !== null) return decode(bytes);
  }
  return undefined;
}

function makeTranscoder(pool: DescriptorPool, { options }: TranscodeSettings): Transcoder {
  return Transcoder.of(pool, { ...options, statusOfFailure: grpcStatusOf });
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await denoFilesIo.read(path);
  if (bytes !== null) return bytes;
  const message = "no such file; paths count from the current directory";
  throw new ConfigError([{ file: path, line: 1, column: 1, path: "", message }]);
}
