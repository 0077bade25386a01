// ConsulApi by the npm package `consul`, which speaks HTTP by itself. Owns tokens, TLS files and what errors say.
// The package is loaded with the first request: a sidecar without Consul does not pay for it.
import { EventEmitter } from "node:events";
import type { ConsulAddress } from "../../../config/bootstrap.ts";
import type { FilesIo } from "../../files_io.ts";
import {
  type AgentEntry,
  type ConsulApi,
  ConsulError,
  type EntryDocument,
  type PassingAnswer,
  type PassingQuery,
} from "./api.ts";
import type { CallOptions, ConsulPackage, PackageOptions, PackageResponse } from "./package.ts";
import { describeAddress, explain, statusOf } from "./explain.ts";
import type { TextFile } from "./text_file.ts";

export interface ConsulClientOptions {
  readonly address: ConsulAddress;
  /** At most one of the two. */
  readonly token: string | undefined;
  readonly tokenFile: TextFile | undefined;
  readonly namespace: string | undefined;
  /** PEM files for https. */
  readonly tls: {
    readonly ca?: string | undefined;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
  };
  readonly io: Pick<FilesIo, "read">;
}

/** For requests that do not block. Consul on loopback answers in milliseconds, and start and drain wait for some of them. */
const REQUEST_MS = 3000;

/** Consul's own default. */
const WAIT_MS = 300_000;

export interface NewerAnswer {
  readonly body: unknown;
  /** X-Consul-Index. */
  readonly index: number;
}

/** Consul adds up to a sixteenth of the wait. */
function waitTimeout(waitMs: number): number {
  return waitMs * 17 / 16 + REQUEST_MS;
}

/** What the package takes to end a request, and to hand out the response with its headers. */
class Context extends EventEmitter {
  readonly includeResponse = true;
}

/** A page that the package has no method for. */
interface Page {
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Statuses that are answers too. */
  readonly fine?: readonly number[];
  readonly timeout?: number;
  readonly cut?: AbortSignal;
}

export class ConsulClient implements ConsulApi {
  readonly #options: ConsulClientOptions;
  #client: Promise<ConsulPackage> | undefined;
  readonly #closed = new AbortController();

  constructor(options: ConsulClientOptions) {
    this.#options = options;
  }

  async passing(query: PassingQuery, cut: AbortSignal): Promise<PassingAnswer> {
    const { service, datacenter, index, waitMs, isStale } = query;
    const isBlocking = index > 0;
    const timeout = isBlocking ? waitTimeout(waitMs) : REQUEST_MS;
    const [{ headers }, body] = await this.#call(
      async (client, options) =>
        await client.health.service({
          ...options,
          service,
          passing: true,
          ...(datacenter === undefined ? {} : { dc: datacenter }),
          ...(isStale ? { stale: true } : {}),
          ...(isBlocking ? { index: String(index), wait: `${Math.ceil(waitMs / 1000)}s` } : {}),
          timeout,
        }),
      cut,
    );
    if (!Array.isArray(body)) throw new ConsulError("Consul answered something that is no list");
    return {
      entries: body,
      index: Number(headers["x-consul-index"] ?? 0) || 0,
      knowsLeader: headers["x-consul-knownleader"] !== "false",
    };
  }

  /** A page that waits for something newer than `index`; 0: it does not wait. Rejects at once when `cut` aborts. */
  async newer(path: string, index: number, cut: AbortSignal): Promise<NewerAnswer> {
    const wait = index > 0 ? { index: String(index), wait: `${WAIT_MS / 1000}s` } : undefined;
    const timeout = wait === undefined ? REQUEST_MS : waitTimeout(WAIT_MS);
    const [{ headers, body }] = await this.#get({ path, query: wait, timeout, cut });
    return { body, index: Number(headers["x-consul-index"] ?? 0) || 0 };
  }

  async register(entry: EntryDocument): Promise<void> {
    await this.#call((client, options) => client.agent.service.register({ ...entry, ...options }));
  }

  async deregister(id: string): Promise<void> {
    await this.#call((client, options) => client.agent.service.deregister({ id, ...options }));
  }

  async entry(id: string): Promise<AgentEntry | null> {
    const [{ statusCode, body }] = await this.#get({
      path: "/agent/health/service/id/{id}",
      params: { id },
      fine: [
        404,
        429, // a warning
        503, // critical
      ],
    });
    return statusCode === 404 ? null : agentEntryOf(body);
  }

  async pass(id: string): Promise<void> {
    await this.#call((client, options) =>
      client.agent.check.pass({ id: `service:${id}`, ...options })
    );
  }

  async probe(): Promise<void> {
    const [, leader] = await this.#call((client, options) => client.status.leader(options));
    if (leader === "") throw new ConsulError("Consul has no leader");
  }

  close(): void {
    this.#closed.abort();
    void this.#client?.then((client) => client.destroy(), () => {});
    this.#client = undefined;
  }

  /** By the package's own transport. */
  #get(
    { path, params = {}, query = {}, fine = [], timeout = REQUEST_MS, cut }: Page,
  ): Promise<readonly [PackageResponse]> {
    return this.#call(async (client, { ctx, token }) => {
      const headers = token === undefined ? {} : { "x-consul-token": token };
      try {
        return [await client._get({ path, params, query, headers, ctx, timeout })] as const;
      } catch (error) {
        const status = statusOf(error);
        if (status === undefined || !fine.includes(status)) throw error;
        return [(error as { readonly response: PackageResponse }).response] as const;
      }
    }, cut);
  }

  async #call<T>(
    run: (client: ConsulPackage, options: CallOptions) => Promise<T>,
    cut: AbortSignal = this.#closed.signal,
  ): Promise<T> {
    const signal = AbortSignal.any([cut, this.#closed.signal]);
    const ctx = new Context();
    const cancel = () => ctx.emit("cancel");
    try {
      const client = await (this.#client ??= this.#connect());
      const token = await this.#token();
      if (signal.aborted) throw new ConsulError("the request was given up");
      signal.addEventListener("abort", cancel);
      return await run(client, {
        ctx,
        ...(token === undefined ? {} : { token }),
        timeout: REQUEST_MS,
      });
    } catch (error) {
      // Files of TLS are read again with the next connection: they may have been renewed.
      if (statusOf(error) === undefined && !signal.aborted && this.#hasFiles()) this.#reconnect();
      throw explain(error, this.#options.address);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async #token(): Promise<string | undefined> {
    const { token, tokenFile } = this.#options;
    const text = tokenFile === undefined ? token : await tokenFile.read();
    return text === "" ? undefined : text;
  }

  async #connect(): Promise<ConsulPackage> {
    try {
      return await this.#open();
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #open(): Promise<ConsulPackage> {
    const { address, namespace, tls } = this.#options;
    const [ca, cert, key] = await Promise.all(
      [tls.ca, tls.certificate, tls.key].map((path) => this.#pem(path)),
    );
    const options: PackageOptions = {
      ...(address.kind === "unix"
        ? { socketPath: address.path }
        : { host: bracketed(address.host), port: address.port, secure: address.kind === "https" }),
      ...(namespace === undefined ? {} : { headers: { "x-consul-namespace": namespace } }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    const { default: Package } = await import("consul");
    // Its own types miss half of the options and answer `any`; package.ts says what we use.
    return new (Package as unknown as new (options: PackageOptions) => ConsulPackage)(options);
  }

  #hasFiles(): boolean {
    return Object.values(this.#options.tls).some((path) => path !== undefined);
  }

  #reconnect(): void {
    void this.#client?.then((client) => client.destroy(), () => {});
    this.#client = undefined;
  }

  async #pem(path: string | undefined): Promise<string | undefined> {
    if (path === undefined) return undefined;
    const bytes = await this.#options.io.read(path);
    if (bytes !== null) return new TextDecoder().decode(bytes);
    throw new ConsulError(`${path}, needed for ${describeAddress(this.#options.address)}, is gone`);
  }
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

interface AgentHealth {
  readonly AggregatedStatus: string;
  readonly Service: {
    readonly Address: string;
    readonly Port: number;
    readonly Meta: Readonly<Record<string, string>> | null;
  };
  readonly Checks:
    | readonly { readonly Status: string; readonly Output: string }[]
    | null;
}

function agentEntryOf(body: unknown): AgentEntry {
  const { AggregatedStatus, Service, Checks } = body as AgentHealth;
  const failing = (Checks ?? []).filter(({ Status }) => Status === "critical");
  return {
    isCritical: AggregatedStatus === "critical",
    detail: failing.map(({ Output }) => Output.trim()).filter((text) => text !== "").join("; "),
    address: `${Service.Address}:${Service.Port}`,
    meta: Service.Meta ?? {},
  };
}
