// A real etcd of a test's own: one member or three on loopback, which can be killed, frozen, started again and compacted.
import { join } from "node:path";
import { findProgram, isInstalled } from "../../../deploy/servers.ts";
import { freePort } from "./ports.ts";
import { TestProcess } from "./processes.ts";
import { until } from "./until.ts";
import type { Workspace } from "./workspace.ts";

/** Tests of etcd are skipped where it is not installed, which SERVERS_REQUIRED=1 makes a failure of the run. */
export const NEEDS_ETCD = { ignore: !isInstalled("etcd") };

export interface EtcdOptions {
  readonly members?: 1 | 3;
  /** Files of TLS for clients; who has no certificate of `ca` is refused. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** Where it listens, and what comes before the command to enter the network where that is; default loopback. */
  readonly host?: string;
  readonly within?: readonly string[];
}

interface Member {
  readonly name: string;
  readonly client: number;
  readonly peer: number;
}

interface Answer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly key: string; readonly value: string }[];
}

const NAMES = ["etcd-1", "etcd-2", "etcd-3"];

export class Etcd implements AsyncDisposable {
  readonly #workspace: Workspace;
  readonly #options: EtcdOptions;
  readonly #members: readonly Member[];
  readonly #processes = new Map<Member, TestProcess>();

  private constructor(workspace: Workspace, options: EtcdOptions) {
    this.#workspace = workspace;
    this.#options = options;
    this.#members = NAMES.slice(0, options.members ?? 1)
      .map((name) => ({ name, client: freePort(), peer: freePort() }));
  }

  /** Resolves when it has a leader; where this process cannot ask it, when it says that it serves. */
  static async start(workspace: Workspace, options: EtcdOptions = {}): Promise<Etcd> {
    const etcd = new Etcd(workspace, options);
    try {
      await etcd.start();
    } catch (error) {
      await etcd[Symbol.asyncDispose]();
      throw error;
    }
    return etcd;
  }

  /** Where members answer. */
  get endpoints(): string[] {
    return this.#members.map((member) => this.#url(member.client));
  }

  /** The section policySource of a sidecar. */
  get policySource(): Readonly<Record<string, unknown>> {
    return { etcd: { endpoints: this.endpoints } };
  }

  /** Starts every member that does not run, with the data that it had. */
  async start(): Promise<void> {
    for (const member of this.#members) {
      if (!this.#processes.has(member)) this.#processes.set(member, this.#spawn(member));
    }
    const { tls, within } = this.#options;
    if (tls === undefined && within === undefined) await this.leader();
    else await until("etcd serves", () => this.#said("ready to serve client requests"));
  }

  /** Ends every member by SIGKILL. */
  async kill(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((member) => this.#end(member)));
  }

  /** Ends the leader by SIGKILL; resolves when there is another. */
  async killLeader(): Promise<void> {
    const leader = await this.leader();
    await this.#end(leader);
    await until("another leader", async () => (await this.leader()) !== leader);
  }

  /** Stops all members where they stand, as machines that are gone from the network look. */
  freeze(): void {
    for (const process of this.#processes.values()) process.kill("SIGSTOP");
  }

  thaw(): void {
    for (const process of this.#processes.values()) process.kill("SIGCONT");
  }

  async leader(): Promise<Member> {
    return await until("a leader of etcd", async () => {
      for (const [member, process] of this.#processes) {
        if (process.hasExited) throw new Error(process.lines.join("\n"));
        const url = this.#url(member.client);
        const status = await this.#ask<{ header: { member_id: string }; leader?: string }>(
          "/v3/maintenance/status",
          {},
          url,
        );
        if (status.leader !== undefined && status.leader === status.header.member_id) return member;
      }
      return undefined;
    });
  }

  /** Resolves to the revision of the write. */
  async put(key: string, text: string): Promise<number> {
    const body = { key: btoa(key), value: toBase64(text) };
    return Number((await this.#ask<Answer>("/v3/kv/put", body)).header.revision);
  }

  async delete(key: string): Promise<void> {
    await this.#ask("/v3/kv/deleterange", { key: btoa(key) });
  }

  async get(key: string): Promise<string | undefined> {
    const { kvs: [found] = [] } = await this.#ask<Answer>("/v3/kv/range", { key: btoa(key) });
    return found && fromBase64(found.value);
  }

  /** Forgets all that was before now. */
  async compact(): Promise<void> {
    const { header: { revision } } = await this.#ask<Answer>("/v3/kv/range", { key: btoa("x") });
    await this.#ask("/v3/kv/compaction", { revision, physical: true });
  }

  /** From now on every call needs the user `root` and this password. */
  async protect(password: string): Promise<void> {
    await this.#ask("/v3/auth/user/add", { name: "root", password });
    await this.#ask("/v3/auth/role/add", { name: "root" });
    await this.#ask("/v3/auth/user/grant", { user: "root", role: "root" });
    await this.#ask("/v3/auth/enable", {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.kill();
  }

  #said(text: string): boolean {
    const all = [...this.#processes.values()];
    const dead = all.find((process) => process.hasExited);
    if (dead !== undefined) throw new Error(dead.lines.join("\n"));
    return all.every(({ lines }) => lines.some((line) => line.includes(text)));
  }

  #url(port: number): string {
    const { host = "127.0.0.1", tls } = this.#options;
    return `${tls === undefined ? "http" : "https"}://${host}:${port}`;
  }

  async #end(member: Member): Promise<void> {
    const process = this.#processes.get(member);
    this.#processes.delete(member);
    await process?.[Symbol.asyncDispose]();
  }

  #spawn({ name, client, peer }: Member): TestProcess {
    const { tls, within = [] } = this.#options;
    const peerUrl = (port: number) => `http://127.0.0.1:${port}`;
    const [command = "", ...args] = [
      ...within,
      findProgram("etcd")!,
      "--name",
      name,
      "--data-dir",
      join(this.#workspace.path, name),
      "--listen-client-urls",
      this.#url(client),
      "--advertise-client-urls",
      this.#url(client),
      "--listen-peer-urls",
      peerUrl(peer),
      "--initial-advertise-peer-urls",
      peerUrl(peer),
      "--initial-cluster",
      this.#members.map((member) => `${member.name}=${peerUrl(member.peer)}`).join(),
      // Elections in a second or two, as between machines of one room.
      "--heartbeat-interval",
      "100",
      "--election-timeout",
      "1000",
      ...(tls === undefined ? [] : [
        "--cert-file",
        tls.certificate,
        "--key-file",
        tls.key,
        "--trusted-ca-file",
        tls.ca,
        "--client-cert-auth",
      ]),
    ];
    return new TestProcess({ command, args, cwd: this.#workspace.path });
  }

  async #ask<T>(path: string, body: unknown, url?: string): Promise<T> {
    const [alive] = this.#processes.keys();
    if (alive === undefined) throw new Error("no member of etcd runs");
    const response = await fetch(`${url ?? this.#url(alive.client)}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}

function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

function fromBase64(text: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(text));
}
