// From the start of the mesh to its end, whatever brings that about; after it nothing is left running.
import { Mesh, type MeshOptions } from "./mesh.ts";
import type { Output } from "./output.ts";
import type { Plan } from "./plan.ts";
import { TooLate } from "./polling.ts";
import type { StopSignals } from "./stop_signals.ts";

/** Why it ended; `reason` is for people. */
export interface End {
  readonly kind: "finished" | "stopped" | "died" | "not-ready";
  readonly reason: string;
}

export interface LifecycleOptions extends MeshOptions {
  readonly output: Output;
  readonly signals: StopSignals;
  /**
   * What is done while the mesh runs; it ends when this resolves. After `cut` it has no mesh to work with, and nobody waits
   * for it.
   */
  readonly work: (mesh: Mesh, cut: AbortSignal) => Promise<void>;
}

/** Starts the mesh, works, and stops it. Resolves when no process is left. */
export async function runMesh(plan: Plan, options: LifecycleOptions): Promise<End> {
  const { output, signals } = options;
  const mesh = new Mesh(plan, options);
  // Whatever way this process ends but by SIGKILL, the others end with it.
  globalThis.addEventListener("unload", () => mesh.killAll());
  const cut = new AbortController();
  let end: End | undefined;
  try {
    mesh.start();
    end = await Promise.race([work(mesh, cut.signal, options), interruption(mesh, options)]);
    return end;
  } finally {
    cut.abort();
    output.say(`Stopping${end === undefined ? "" : `: ${end.reason}`}.`);
    await stop(mesh, signals, output);
  }
}

async function work(mesh: Mesh, cut: AbortSignal, options: LifecycleOptions): Promise<End> {
  const startedAt = performance.now();
  try {
    await mesh.ready();
  } catch (error) {
    if (!(error instanceof TooLate)) throw error;
    return { kind: "not-ready", reason: `the mesh did not become ready, ${error.message}` };
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  options.output.say(`The mesh is ready after ${seconds} s.`);
  await options.work(mesh, cut);
  return { kind: "finished", reason: "done" };
}

function interruption(mesh: Mesh, { output, signals }: LifecycleOptions): Promise<End> {
  return Promise.race([
    mesh.failed.then((reason): End => ({ kind: "died", reason })),
    signals.first.then((signal): End => ({ kind: "stopped", reason: `asked to by ${signal}` })),
    output.gone.then((): End => ({ kind: "stopped", reason: "nobody reads the output" })),
  ]);
}

async function stop(mesh: Mesh, signals: StopSignals, output: Output): Promise<void> {
  signals.again.then((signal) => {
    const names = mesh.killAll();
    if (names.length > 0) output.say(`${signal} again, killed: ${names.join(", ")}.`);
  });
  const killed = await mesh.stop();
  if (killed.length > 0) {
    output.say(`Killed, because they did not end in time: ${killed.join(", ")}.`);
  }
  output.say("Stopped. No process of the demo is left.");
}
