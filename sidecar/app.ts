// The composition root: makes every part, hands each what it needs, starts them in order and stops them in reverse.
// This file and its parts app_*.ts are the only ones that may import everything.
import { adminHandler, type AdminViews, healthHandler } from "./admin/admin.ts";
import { EdgeParts } from "./app_edge.ts";
import { Tokens } from "./app_jwt.ts";
import { ListenerFactory, listenerLimits } from "./app_listeners.ts";
import { exportGauges } from "./app_metrics.ts";
import { isLoopback } from "./config/addresses.ts";
import { Journal } from "./telemetry/journal.ts";
import { makeTracing, type TracingService } from "./app_tracing.ts";
import { LimitInRedis } from "./app_redis.ts";
import { Preparation } from "./app_policy.ts";
import { dialBy } from "./app_dial.ts";
import type { Mesh } from "./app_identity.ts";
import { instanceOf, makePolicySource, makeRegistry } from "./app_sources.ts";
import { exportUpstreams, forwarderEvents, upstreamEvents } from "./app_upstreams.ts";
import type { Bootstrap } from "./config/bootstrap.ts";
import { defaultUpstream } from "./config/build.ts";
import { Reconciler } from "./control/reconcile.ts";
import { Registrar } from "./control/registrar.ts";
import type { Registry } from "./control/registry/registry.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { Sweeper } from "./lib/sweeper.ts";
import { Timeouts } from "./lib/timeouts.ts";
import { type PlainServer, serveHttp } from "./net/http_server.ts";
import { formatAddress } from "./net/tcp.ts";
import { DedicatedPorts } from "./proxy/dedicated_ports.ts";
import { Forwarder } from "./proxy/forward.ts";
import type { ProxyListener } from "./proxy/listener.ts";
import type { Logger } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { Health } from "./upstream/health.ts";
import { checkApp } from "./upstream/app_check.ts";
import { DEFAULT_POOL_LIMITS, type PoolContext } from "./upstream/pool.ts";
import { Upstreams } from "./upstream/upstreams.ts";

export interface StartOptions {
  readonly log: Logger;
  readonly version: string;
  environment(name: string): string | undefined;
  /** Memory of the process. */
  residentBytes(): number;
}

/** A sidecar at work. */
export interface RunningSidecar {
  /** Deregisters, waits for callers to notice, finishes what comes in from outside. The app can still call out. */
  drain(reason: string): Promise<void>;
  /** Closes what is left, after `drain`. */
  close(): Promise<void>;
  /** Cuts every connection at once; `drain` and `close` then resolve soon. */
  abort(): void;
}

/** Resolves when every listener accepts. Throws ListenError, among others, with a message for the operator. */
export async function startSidecar(
  bootstrap: Bootstrap,
  options: StartOptions,
): Promise<RunningSidecar> {
  const sidecar = new Sidecar(bootstrap, options);
  try {
    await sidecar.start();
  } catch (error) {
    sidecar.abort();
    await sidecar.close();
    throw error;
  }
  return sidecar;
}

class Sidecar implements RunningSidecar {
  readonly #bootstrap: Bootstrap;
  readonly #options: StartOptions;
  readonly #log: Logger;
  readonly #clock: Clock = systemClock;
  readonly #metrics = new Metrics();
  readonly #timeouts = new Timeouts(this.#clock);
  readonly #poolContext: PoolContext;
  readonly #upstreams: Upstreams;
  readonly #registry: Registry;
  readonly #reconciler: Reconciler;
  #registrar: Registrar | undefined;
  #mesh: Mesh | undefined;
  readonly #health: Health | undefined;
  readonly #forwarder: Forwarder;
  readonly #tokens: Tokens;
  readonly #preparation: Preparation;
  readonly #sharedLimit: LimitInRedis | undefined;
  readonly #tracing: TracingService | undefined;
  readonly #journal = new Journal();
  #loopLag: Disposable | undefined;
  readonly #factory: ListenerFactory;
  readonly #dedicated: DedicatedPorts;
  /** Listeners for callers from outside, and those for the app. */
  readonly #outer: ProxyListener[] = [];
  readonly #inner: ProxyListener[] = [];
  readonly #servers: PlainServer[] = [];
  #healthServer: PlainServer | undefined;
  /** What is not done yet; empty means ready. */
  readonly #pending = new Set<string>(["registry", "listeners"]);
  readonly #cut = Promise.withResolvers<void>();

  constructor(bootstrap: Bootstrap, options: StartOptions) {
    const { log, environment } = options;
    const clock = this.#clock;
    this.#options = options;
    this.#bootstrap = bootstrap;
    this.#log = log.with({ service: bootstrap.service.name });
    const sweeper = new Sweeper(clock);
    const limits = { ...listenerLimits(bootstrap), ...DEFAULT_POOL_LIMITS };
    this.#poolContext = {
      clock,
      limits,
      timeouts: this.#timeouts,
      sweeper,
      mtls: bootstrap.identity.mode,
      dial: (address, signal, protocol) => dialBy(this.#mesh, address, signal, protocol),
    };
    this.#upstreams = new Upstreams(this.#poolContext, {
      zone: bootstrap.service.zone,
      events: upstreamEvents(this.#log, this.#metrics),
    });
    this.#registry = makeRegistry(bootstrap, {
      clock,
      log: this.#log,
      healthAddress: () => this.#healthServer?.address ?? bootstrap.listeners.health,
    });
    this.#reconciler = this.#makeReconciler(environment);
    this.#health = this.#makeHealth();
    this.#forwarder = new Forwarder({
      upstreams: this.#upstreams,
      timeouts: this.#timeouts,
      clock,
      random: Math.random,
      events: forwarderEvents(this.#metrics),
    });
    const tokens = this.#tokens = new Tokens({ clock, log: this.#log, metrics: this.#metrics });
    const edge = new EdgeParts({ clock, forwarder: this.#forwarder });
    this.#preparation = new Preparation({
      gateway: bootstrap.gateway,
      redis: bootstrap.redis,
      tokens,
      edge,
      forwarder: this.#forwarder,
      clock,
    });
    const { redis } = bootstrap;
    const telemetry = { clock, log: this.#log, metrics: this.#metrics };
    this.#tracing = makeTracing(bootstrap, { ...options, ...telemetry });
    this.#sharedLimit = redis &&
      new LimitInRedis(redis, telemetry);
    this.#factory = new ListenerFactory({
      sharedLimit: this.#sharedLimit,
      tracing: this.#tracing?.filter,
      journal: this.#journal,
      tokens,
      edge,
      bootstrap,
      store: this.#reconciler.store,
      forwarder: this.#forwarder,
      upstreams: this.#upstreams,
      poolContext: this.#poolContext,
      transcoderOf: this.#preparation.transcoderOf,
      discover: (service) => this.#reconciler.discover(service),
      metrics: this.#metrics,
      sweeper,
      clock,
      log: this.#log,
    });
    this.#dedicated = new DedicatedPorts(
      (cluster, address) => this.#factory.openDedicated(cluster, address),
      this.#log,
    );
  }

  #makeReconciler(environment: StartOptions["environment"]): Reconciler {
    const { service, gateway, policy } = this.#bootstrap;
    return new Reconciler({
      registry: this.#registry,
      policySource: makePolicySource(this.#bootstrap, {
        environment,
        prepare: (next) => this.#preparation.prepare(next),
        traffic: () => this.#factory.traffic,
        clock: this.#clock,
        log: this.#log,
      }),
      defaultUpstream: defaultUpstream({ isEdge: gateway !== undefined }),
      app: service.app,
      edge: gateway,
      home: () => this.#mesh?.home ?? this.#bootstrap.identity,
      clock: this.#clock,
      log: this.#log,
    }, policy);
  }

  #makeHealth(): Health | undefined {
    const { app } = this.#bootstrap.service;
    if (app === undefined) return undefined;
    const addresses = [app.http, app.grpc].filter((address) => address !== undefined);
    const address = addresses.map(formatAddress).join(" and ");
    return new Health({
      ...app.health,
      clock: this.#clock,
      check: () => checkApp(app, this.#poolContext),
      onChange: (result) => {
        if (result.isHealthy) this.#log.info("the app is healthy", { address });
        else this.#log.warn("the app is not healthy", { address, detail: result.detail });
        this.#registrar?.setHealthy(result.isHealthy);
      },
    });
  }

  /** Admin and health first, so that a start that hangs can be looked at; the app's registration last. */
  async start(): Promise<void> {
    const { listeners } = this.#bootstrap;
    const views = this.#views();
    const guard = { isLoopback: isLoopback(listeners.admin.host) };
    this.#servers.push(serveHttp(listeners.admin, adminHandler(views, guard)));
    this.#healthServer = serveHttp(listeners.health, healthHandler(views));
    this.#servers.push(this.#healthServer);
    this.#loopLag = exportGauges(this.#metrics, views, this.#clock, this.#options.residentBytes);
    exportUpstreams(this.#metrics, this.#upstreams);
    this.#reconciler.store.subscribe((snapshot) => {
      this.#upstreams.apply(snapshot);
      this.#tokens.apply(snapshot);
    });
    await this.#preparation.prepare(this.#bootstrap.policy);
    await this.#sharedLimit?.start();
    await this.#loadIdentity();
    await this.#reconciler.start();
    this.#tokens.apply(this.#reconciler.store.current);
    this.#pending.delete("registry");
    await this.#openListeners();
    this.#pending.delete("listeners");
    this.#health?.start();
    this.#log.info("ready", {
      version: this.#options.version,
      ...Object.fromEntries(
        this.#listeners().map(({ name, address }) => [name, formatAddress(address)]),
      ),
      admin: formatAddress(this.#servers[0]!.address),
    });
  }

  async #loadIdentity(): Promise<void> {
    if (this.#bootstrap.identity.mode === "off") return;
    this.#pending.add("identity");
    const { Mesh } = await import("./app_identity.ts");
    const parts = { clock: this.#clock, log: this.#log, metrics: this.#metrics };
    this.#mesh = await Mesh.start(this.#bootstrap, parts);
    this.#pending.delete("identity");
  }

  async #openListeners(): Promise<void> {
    const { service, gateway } = this.#bootstrap;
    const { store } = this.#reconciler;
    if (service.app !== undefined) {
      this.#inner.push(this.#factory.openOutbound());
      const inbound = await this.#factory.openInbound(this.#mesh);
      this.#outer.push(inbound);
      const instance = instanceOf(this.#bootstrap, inbound.address.port, this.#mesh?.id);
      this.#registrar = new Registrar(this.#registry, instance, this.#log);
    }
    if (gateway !== undefined) await this.#openEdge(gateway);
    this.#dedicated.apply(store.current, (error) => {
      throw error;
    });
    store.subscribe((snapshot) => {
      this.#dedicated.apply(
        snapshot,
        (error) => this.#log.error("a dedicated port cannot be opened", { error }),
      );
    });
  }

  async #openEdge(gateway: NonNullable<Bootstrap["gateway"]>): Promise<void> {
    const edge = await this.#factory.openEdge(gateway);
    this.#outer.push(edge);
    const { redirect } = gateway.tls ?? {};
    if (redirect === undefined) return;
    const { bind, httpsPort = edge.address.port } = redirect;
    this.#outer.push(this.#factory.openRedirect(bind, httpsPort));
  }

  #views(): AdminViews {
    const { service } = this.#bootstrap;
    const startedAt = this.#clock.now();
    return {
      version: this.#options.version,
      uptimeMs: () => this.#clock.now() - startedAt,
      service: { name: service.name, id: service.id },
      snapshot: () => this.#reconciler.store.current,
      policyProblem: () => {
        const problem = this.#reconciler.policyProblem;
        return problem && { revision: problem.revision, message: problem.error.message };
      },
      pending: () => [
        ...this.#pending,
        ...(this.#health?.last.isHealthy === false ? ["app"] : []),
        ...(this.#registrar?.isInMaintenance === true ? ["maintenance"] : []),
      ],
      appHealth: () => this.#health?.last,
      registry: () => this.#registry.status?.(),
      isRegistered: () => this.#registrar?.isRegistered ?? false,
      isInMaintenance: () => this.#registrar?.isInMaintenance ?? false,
      setMaintenance: (isOn) => this.#setMaintenance(isOn),
      listeners: () =>
        this.#listeners().map(({ name, address, connections }) => ({
          name,
          address: formatAddress(address),
          connections,
        })),
      endpointStats: () => this.#upstreams.stats(),
      clusterViews: () => this.#upstreams.views(),
      journal: this.#journal,
      metrics: (exposition) => this.#metrics.render(exposition),
    };
  }

  async #setMaintenance(isOn: boolean): Promise<boolean> {
    if (this.#registrar === undefined) return false;
    this.#log.warn(isOn ? "taken out of the mesh by an operator" : "let into the mesh again");
    await this.#registrar.setMaintenance(isOn);
    return true;
  }

  #listeners(): ProxyListener[] {
    return [...this.#outer, ...this.#inner, ...this.#dedicated.listeners];
  }

  async drain(reason: string): Promise<void> {
    const { delayMs, timeoutMs } = this.#bootstrap.drain;
    this.#pending.add("draining");
    this.#log.debug("draining", { reason });
    await this.#inTime(timeoutMs, this.#registrar?.stop());
    if (delayMs > 0) await this.#inTime(delayMs, this.#cut.promise);
    if (
      await this.#inTime(
        timeoutMs,
        Promise.all(this.#outer.map((listener) => listener.drain())),
      )
    ) return;
    const left = this.#outer.reduce((count, listener) => count + listener.connections, 0);
    this.#log.warn("cut what did not finish in time", { connections: left, timeoutMs });
    for (const listener of this.#outer) listener.abort();
  }

  /** True when `work` was done in time; false when time ran out or everything was cut. */
  async #inTime(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    using _timer = this.#clock.after(ms, () => resolve(false));
    const isCut = this.#cut.promise.then(() => false);
    return await Promise.race([promise, isCut, Promise.resolve(work).then(() => true)]);
  }

  async close(): Promise<void> {
    const { timeoutMs } = this.#bootstrap.drain;
    const inner = [...this.#inner.map((listener) => listener.drain()), this.#dedicated.drain()];
    if (!await this.#inTime(timeoutMs, Promise.all(inner))) this.#cutConnections();
    await this.#health?.close();
    await this.#reconciler.close();
    await this.#registry.close();
    await this.#mesh?.close();
    this.#sharedLimit?.close();
    this.#tokens.close();
    await this.#upstreams.stop();
    this.#upstreams.close();
    this.#journal.end();
    await Promise.all(this.#servers.map((server) => server.close()));
    await this.#inTime(timeoutMs, this.#tracing?.close());
    this.#loopLag?.[Symbol.dispose]();
    this.#timeouts.dispose();
    this.#log.info("stopped");
  }

  abort(): void {
    this.#cut.resolve();
    this.#cutConnections();
  }

  #cutConnections(): void {
    for (const listener of [...this.#outer, ...this.#inner]) listener.abort();
    this.#dedicated.abort();
    this.#upstreams.close();
  }
}
