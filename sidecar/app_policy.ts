// Part of the composition root: what must be there before a policy comes into force: files that it names, and keys.
import type { EdgeParts } from "./app_edge.ts";
import type { Tokens } from "./app_jwt.ts";
import type { Transcoders } from "./app_transcoding.ts";
import type { Bootstrap, Policy } from "./config/bootstrap.ts";
import type { Clock } from "./lib/clock.ts";
import type { Forwarder } from "./proxy/forward.ts";
import type { TranscoderOf } from "./proxy/grpc_edge.ts";

export interface PreparationOptions {
  readonly gateway: Bootstrap["gateway"];
  readonly redis: Bootstrap["redis"];
  readonly tokens: Tokens;
  readonly edge: EdgeParts;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
}

export class Preparation {
  readonly #options: PreparationOptions;
  #transcoders: Transcoders | undefined;

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  transcoderOf: TranscoderOf = (route, exchange) => this.#transcoders?.of(route, exchange);

  /** Rejects with an error for the operator where this instance cannot take the policy. */
  async prepare({ inbound, gateway: pushed }: Policy): Promise<void> {
    const { gateway, redis, tokens, edge } = this.#options;
    if (pushed !== undefined && gateway === undefined) {
      throw new Error("gateway: this instance is no edge, its bootstrap has no gateway section");
    }
    const { jwt, login, routes = [] } = pushed ?? gateway ?? {};
    const limits = [...routes.map(({ rateLimit }) => rateLimit), ...inbound.rateLimits ?? []];
    if (redis === undefined && limits.some((limit) => limit?.scope === "global")) {
      throw new Error("a limit of scope global: this instance's bootstrap has no redis section");
    }
    await this.#loadTranscoders(routes);
    await edge.prepare(login);
    tokens.inbound.prepare(inbound.jwt);
    tokens.edge.prepare(jwt);
  }

  /** The code for descriptors and their JSON costs several MB of memory: only whoever needs it has it. */
  async #loadTranscoders(routes: NonNullable<Bootstrap["gateway"]>["routes"]): Promise<void> {
    if (routes.every(({ transcode }) => transcode === undefined)) return;
    const { forwarder, clock } = this.#options;
    const { Transcoders } = await import("./app_transcoding.ts");
    this.#transcoders ??= new Transcoders(forwarder, clock);
    await this.#transcoders.load(routes);
  }
}
