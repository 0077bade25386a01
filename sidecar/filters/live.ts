// A filter whose settings come with the policy: each exchange goes by those of its own snapshot, from its beginning to its end.
import type { Response } from "../http/message.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { ExchangeView, Filter } from "./filter.ts";

export interface LiveOptions<S extends object, F extends Filter> {
  readonly name: string;
  /** Undefined: `otherwise` applies. */
  readonly settingsOf: (snapshot: Snapshot) => S | undefined;
  /** Throws Error for settings that cannot be used. */
  readonly make: (settings: S) => F;
  /** Ends what a filter does by itself; exchanges that began under it go on. */
  readonly release?: (filter: F) => void;
  readonly otherwise?: Filter;
}

export class Live<S extends object, F extends Filter> implements Filter {
  readonly name: string;
  readonly #options: LiveOptions<S, F>;
  /** Also of settings that are in force no more, for exchanges that began under them. */
  readonly #made = new WeakMap<S, F>();
  #current: S | undefined;
  #prepared: S | undefined;
  #last: { readonly settings: S; readonly filter: F } | undefined;

  constructor(options: LiveOptions<S, F>) {
    this.name = options.name;
    this.#options = options;
  }

  /** Makes what `apply` is going to ask for, as far as it can be known before. Throws where it cannot be made. */
  prepare(settings: S | undefined): void {
    if (settings === undefined || this.#made.has(settings)) return;
    this.#make(settings);
    this.#drop(this.#prepared);
    this.#prepared = settings;
  }

  /** Takes over the settings of a new snapshot, so that what they need is there before a request is. */
  apply(settings: S | undefined): void {
    const before = this.#current;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (settings !== before) {
      this.#current = settings;
      if (settings !== undefined && !this.#made.has(settings)) this.#make(settings);
      // After the next has what it needs, which it may have from the last.
      this.#drop(before);
    }
    if (prepared !== settings) this.#drop(prepared);
  }

  onRequest(exchange: ExchangeView): ReturnType<NonNullable<Filter["onRequest"]>> {
    return this.#filterOf(exchange.snapshot)?.onRequest?.(exchange);
  }

  onResponse(exchange: ExchangeView, response: Response): void {
    this.#filterOf(exchange.snapshot)?.onResponse?.(exchange, response);
  }

  #filterOf(snapshot: Snapshot): Filter | undefined {
    const { settingsOf, otherwise } = this.#options;
    const settings = settingsOf(snapshot);
    if (settings === undefined) return otherwise;
    if (settings === this.#last?.settings) return this.#last.filter;
    const filter = this.#made.get(settings) ?? this.#make(settings);
    this.#last = { settings, filter };
    return filter;
  }

  #make(settings: S): F {
    const filter = this.#options.make(settings);
    this.#made.set(settings, filter);
    return filter;
  }

  #drop(settings: S | undefined): void {
    const filter = settings && this.#made.get(settings);
    if (filter !== undefined) this.#options.release?.(filter);
  }
}
