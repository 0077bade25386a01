// The app as our child: started when the proxy is ready, ended in order, its exit code ours.
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { SpawnError } from "./errors.ts";
import type { Signal } from "./exit_codes.ts";
import type { Child, ChildStatus, Host } from "./host.ts";
import type { RunningSidecar } from "../app.ts";
import { shutDown, type StopSignals, unlessAborted } from "./stop_signals.ts";

/** Passed on as they come. SIGTERM and SIGINT are not: the app gets its SIGTERM when the drain is over. */
const FORWARDED: readonly Signal[] = ["SIGHUP", "SIGUSR1", "SIGUSR2"];

export interface SuperviseOptions {
  readonly host: Pick<Host, "spawn" | "onSignal">;
  readonly command: readonly [string, ...string[]];
  readonly running: RunningSidecar;
  readonly stops: StopSignals;
  readonly clock: Clock;
  /** From the app's SIGTERM to its SIGKILL. */
  readonly killAfterMs: number;
  readonly log: Logger;
}

/**
 * Runs the command to its end and resolves to its exit code, 128 + n when signal n ended it.
 * On SIGTERM or SIGINT: drain (the app still answers, and can still call out), SIGTERM to the app, SIGKILL when it
 * takes too long, close. When the app ends by itself: drain, close.
 */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { host, command, running, stops, log } = options;
  const [name, ...args] = command;
  let child: Child;
  try {
    child = host.spawn(name, args);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    log.error(error.message);
    const end = shutDown(running, "the app could not be started").then(() => error.exitCode);
    return await unlessAborted(stops, end, () => running.abort());
  }
  log.info("app started", { command: name, pid: child.pid });
  using _forwarding = forwardSignals(host, child);
  const abort = () => {
    running.abort();
    child.kill("SIGKILL");
  };
  try {
    return await unlessAborted(stops, untilEnd(child, options), abort);
  } finally {
    // Nothing after a normal end; otherwise the app must not outlive us.
    child.kill("SIGKILL");
  }
}

async function untilEnd(child: Child, options: SuperviseOptions): Promise<number> {
  const { running, stops, log } = options;
  const exited = child.exited.then((status) => {
    const isSuccess = status.code === 0;
    log[isSuccess ? "info" : "warn"](exitReason(status), { exitCode: status.code });
    return status;
  });
  await running.drain(await Promise.race([exited.then(exitReason), stops.first]));
  // Signals do nothing to an app that has ended already.
  child.kill("SIGTERM");
  using _deadline = killAfter(child, options);
  const { code } = await exited;
  await running.close();
  return code;
}

function killAfter(child: Child, { clock, killAfterMs, log }: SuperviseOptions): Disposable {
  return clock.after(killAfterMs, () => {
    log.warn("the app did not end in time: SIGKILL", { timeoutMs: killAfterMs });
    child.kill("SIGKILL");
  });
}

function exitReason({ code, signal }: ChildStatus): string {
  return signal === null
    ? `the app ended with exit code ${code}`
    : `the app was ended by ${signal}`;
}

function forwardSignals(host: Pick<Host, "onSignal">, child: Child): Disposable {
  const listeners = new DisposableStack();
  for (const signal of FORWARDED) {
    listeners.use(host.onSignal(signal, () => child.kill(signal)));
  }
  return listeners;
}
