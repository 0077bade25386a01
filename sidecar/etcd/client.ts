// EtcdStore by the npm package `etcd3`, which is loaded on demand: it costs several MB of memory.
import type { Etcd3, IKeyValue, IOptions, Lease, Watcher } from "etcd3";
import type { EtcdAccess } from "./access.ts";
import { EtcdError } from "./errors.ts";
import type { EtcdStore, Reading, StoredValue, WatchListener, Write } from "./store.ts";

type EtcdPackage = Pick<typeof import("etcd3"), "Etcd3">;

/** What an instance announced is gone this long after it last was heard of. */
export const LEASE_SECONDS = 10;
/** A member that needs longer is as good as away, and another one is asked. */
const CALL_MS = 1500;

/** Opens a connection; it is made on first use. */
export async function openEtcd(access: EtcdAccess): Promise<EtcdStore> {
  const loaded: EtcdPackage & { readonly default?: EtcdPackage } = await import("etcd3");
  // A bundle has the exports of a CommonJS package as its default.
  const { Etcd3 } = loaded.default ?? loaded;
  return new Etcd3Store(new Etcd3(optionsOf(access)));
}

function optionsOf({ endpoints, username, password, tls }: EtcdAccess): IOptions {
  const { ca, certificate, key, serverName } = tls;
  const pem = (text: string) => Buffer.from(text);
  return {
    hosts: [...endpoints],
    ...(username === undefined ? {} : { auth: { username, password: password ?? "" } }),
    ...(ca === undefined ? {} : {
      credentials: {
        rootCertificate: pem(ca),
        ...(key === undefined ? {} : { privateKey: pem(key) }),
        ...(certificate === undefined ? {} : { certChain: pem(certificate) }),
      },
    }),
    ...(serverName === undefined
      ? {}
      : { grpcOptions: { "grpc.ssl_target_name_override": serverName } }),
    defaultCallOptions: ({ isStream }) => isStream ? {} : { deadline: Date.now() + CALL_MS },
    // The package's own breaker keeps a member out for five seconds after it is back.
    faultHandling: { host: () => PASS },
  };
}

type HostPolicy = ReturnType<NonNullable<NonNullable<IOptions["faultHandling"]>["host"]>>;

/** The policy that does nothing. */
const PASS = {
  execute: (run: (context: unknown) => unknown) => Promise.resolve().then(() => run({})),
} as unknown as HostPolicy;

class Etcd3Store implements EtcdStore {
  readonly #client: Etcd3;
  #lease: Lease | undefined;

  constructor(client: Etcd3) {
    this.#client = client;
  }

  read(keys: readonly string[]): Promise<Reading> {
    return plainly(async () => {
      const request = keys.map((key) => ({ request_range: { key: Buffer.from(key) } }));
      const { header, responses } = await this.#client.kv.txn({
        success: request,
        compare: [],
        failure: [],
      });
      const values = responses.map(({ response_range }) => {
        const [value] = response_range?.kvs ?? [];
        return value && stored(value);
      });
      return { revision: Number(header.revision), values };
    });
  }

  list(prefix: string): Promise<readonly StoredValue[]> {
    return plainly(async () => {
      const { kvs } = await this.#client.getAll().prefix(prefix).sort("Key", "Ascend").exec();
      return kvs.map(stored);
    });
  }

  watch(keys: readonly string[], revision: number, listener: WatchListener): Disposable {
    const watchers: Watcher[] = [];
    let isOver = false;
    const end = () => {
      isOver = true;
      for (const watcher of watchers.splice(0)) void watcher.cancel().catch(() => {});
    };
    for (const key of keys) {
      const watcher = this.#client.watch().key(key).startRevision(String(revision + 1)).watcher();
      watchers.push(watcher);
      watcher.on("data", () => {
        if (!isOver) listener.changed();
      });
      watcher.on("error", (error) => {
        if (isOver) return;
        end();
        listener.ended(asError(error));
      });
    }
    return { [Symbol.dispose]: end };
  }

  announce(key: string, text: string): Promise<void> {
    return this.#leased(async (lease) => void await lease.put(key).value(text).exec());
  }

  claim(key: string, text: string): Promise<number | undefined> {
    return this.#leased(async (lease) => {
      const put = this.#client.put(key).value(text).lease(await lease.grant());
      const { succeeded, header } = await this.#client.if(key, "Create", "==", 0).then(put)
        .commit();
      return succeeded ? Number(header.revision) : undefined;
    });
  }

  #leased<T>(run: (lease: Lease) => Promise<T>): Promise<T> {
    return plainly(async () => {
      // It is renewed by whoever announces: the package's own timers would outlive a connection that hangs.
      this.#lease ??= this.#client.lease(LEASE_SECONDS, { autoKeepAlive: false });
      try {
        return await run(this.#lease);
      } catch (error) {
        this.#lease = undefined;
        throw error;
      }
    });
  }

  renew(): Promise<void> {
    return plainly(async () => {
      const lease = this.#lease;
      if (lease === undefined) throw new EtcdError("nothing is announced");
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(new Error("no answer in time")), CALL_MS);
      try {
        await Promise.race([lease.keepaliveOnce(), late.promise]);
      } catch (error) {
        this.#lease = undefined;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    });
  }

  withdraw(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    return plainly(async () => await lease?.revoke());
  }

  writeIf(key: string, revision: number, writes: readonly Write[]): Promise<number | undefined> {
    return plainly(async () => {
      const transaction = this.#client.if(key, "Mod", "==", revision).then(
        ...writes.map(({ key, text }) =>
          text === undefined ? this.#client.delete().key(key) : this.#client.put(key).value(text)
        ),
      );
      const { succeeded, header } = await transaction.commit();
      return succeeded ? Number(header.revision) : undefined;
    });
  }

  close(): void {
    this.#client.close();
  }
}

function stored({ key, value, mod_revision }: IKeyValue): StoredValue {
  return { key: key.toString(), text: value.toString(), revision: Number(mod_revision) };
}

/** The package's errors hold what was sent, passwords included: only their message goes on. */
async function plainly<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw asError(error);
  }
}

function asError(error: unknown): EtcdError {
  const { message } = error instanceof Error ? error : { message: String(error) };
  return new EtcdError(`etcd: ${message}`);
}
