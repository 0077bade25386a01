// Hands out the source of an issuer's keys. Verifiers with the same origin share one, so that a policy that is pushed anew
// neither fetches again nor loses the keys of a provider that is away just then.
import { type Algorithm, hmacAlgorithms } from "../../lib/jwk.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { FileKeys, type ReadText } from "./file_keys.ts";
import { KeySet } from "./key_set.ts";
import { FixedKeys, type KeySource } from "./key_source.ts";
import { type FetchJson, RemoteKeys } from "./remote_keys.ts";
import type { IssuerSettings, KeyOrigin } from "./settings.ts";

export interface KeySourcesOptions {
  readonly fetchJson: FetchJson;
  readonly readText: ReadText;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A source for as long as it is needed. */
export interface KeySourceLease extends Disposable {
  readonly source: KeySource;
}

interface Shared {
  readonly source: KeySource;
  readonly listeners: Set<() => void>;
}

export class KeySources {
  readonly #options: KeySourcesOptions;
  readonly #shared = new Map<string, Shared>();

  constructor(options: KeySourcesOptions) {
    this.#options = options;
  }

  /** `onChanged` is called when other keys are in force. Throws Error for keys in the configuration that are none. */
  lease({ keys, algorithms }: IssuerSettings, onChanged: () => void): KeySourceLease {
    const key = JSON.stringify([keys, algorithms]);
    const shared = this.#shared.get(key) ?? this.#open(key, keys, algorithms);
    // A function of its own, so that one listener may hold two leases.
    const listener = () => onChanged();
    shared.listeners.add(listener);
    return {
      source: shared.source,
      [Symbol.dispose]: () => {
        if (!shared.listeners.delete(listener) || shared.listeners.size > 0) return;
        this.#shared.delete(key);
        shared.source.close();
      },
    };
  }

  /** Every source in use. */
  all(): readonly KeySource[] {
    return [...this.#shared.values()].map(({ source }) => source);
  }

  #open(key: string, keys: KeyOrigin, algorithms: IssuerSettings["algorithms"]): Shared {
    const listeners = new Set<() => void>();
    const onChanged = () => {
      for (const listener of listeners) listener();
    };
    const shared = { source: this.#make(keys, algorithms, onChanged), listeners };
    this.#shared.set(key, shared);
    return shared;
  }

  #make(
    keys: KeyOrigin,
    algorithms: readonly Algorithm[] | undefined,
    onChanged: () => void,
  ): KeySource {
    const same = { ...this.#options, algorithms, onChanged };
    switch (keys.kind) {
      case "secret":
        return new FixedKeys("secret", secretSet(keys.secret, algorithms));
      case "jwks":
        return new FixedKeys("jwks", KeySet.of(keys, { algorithms, allowsSecrets: true }));
      case "jwks-file":
        return new FileKeys({ ...same, path: keys.path, form: "jwks" });
      case "public-key":
        return new FileKeys({ ...same, path: keys.path, form: "pem" });
      case "jwks-uri":
        return new RemoteKeys({ ...same, url: keys.url });
    }
  }
}

function secretSet(secret: string, algorithms: readonly Algorithm[] | undefined): KeySet {
  const bytes = new TextEncoder().encode(secret);
  if (hmacAlgorithms(bytes.length).length === 0) {
    throw new Error("the secret is shorter than 32 bytes");
  }
  const k = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return KeySet.of({ keys: [{ kty: "oct", k }] }, { algorithms, allowsSecrets: true });
}
