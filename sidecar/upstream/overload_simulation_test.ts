// What policy is for, in virtual time: a brown-out that retries do not make worse, and a slow endpoint that few calls meet.
import { assert } from "@std/assert";
import { endpoint } from "../../tests/support/fake_snapshot.ts";
import { Server, Simulation } from "../../tests/support/simulation/events.ts";
import { PeakEwma } from "../lib/peak_ewma.ts";
import type { Endpoint } from "../snapshot/snapshot.ts";
import type { Candidate, Picker } from "./balancer/picker.ts";
import { RandomPicker } from "./balancer/random.ts";
import { RoundRobin } from "./balancer/round_robin.ts";
import { leastRequest, peakEwma, TwoChoices } from "./balancer/two_choices.ts";
import { RetryBudget } from "./retry_budget.ts";

/** Calls of a policy with three attempts; the share of them that fails is `failures`. Resolves to attempts a call. */
function amplification(failures: number, budget: RetryBudget | undefined, seed: number): number {
  const simulation = new Simulation(seed);
  const CALLS = 100_000;
  let attempts = 0;
  for (let call = 0; call < CALLS; call++) {
    budget?.deposit();
    for (let attempt = 1;; attempt++) {
      attempts++;
      const isFailed = simulation.random() < failures;
      if (!isFailed || attempt === 3 || budget?.withdraw() === false) break;
    }
  }
  return attempts / CALLS;
}

Deno.test("in a brown-out the budget keeps retries to a fifth of the calls, where three attempts would treble them", () => {
  for (const failures of [0.3, 0.5, 0.8, 1]) {
    for (const seed of [1, 2, 3]) {
      const kept = amplification(failures, new RetryBudget(0.2), seed);
      // What was saved before is spent once.
      assert(kept <= 1.2 + 10 / 100_000, `${kept} attempts a call where ${failures} fail`);
    }
  }
  assert(amplification(1, undefined, 1) === 3);
  assert(amplification(0.05, new RetryBudget(0.2), 1) > 1.05, "what fails now and then is retried");
});

/** Answers in time each second, of clients that give up and try again, at a server with half of the capacity it needs. */
function brownOut(
  budgetOf: () => RetryBudget | undefined,
): { good: number; amplification: number } {
  const simulation = new Simulation(7);
  const CALLS_A_SECOND = 1000;
  const PATIENCE_MS = 200;
  // 500 a second, and a queue of which nobody knows.
  const server = new Server(simulation, 10, () => simulation.exponential(20));
  const budget = budgetOf();
  let [calls, attempts, good] = [0, 0, 0];
  const attempt = (left: number) => {
    attempts++;
    let isOver = false;
    server.work(() => {
      if (!isOver) good++;
      isOver = true;
    });
    simulation.after(PATIENCE_MS, () => {
      if (isOver) return;
      isOver = true;
      if (left > 1 && budget?.withdraw() !== false) attempt(left - 1);
    });
  };
  const arrive = () => {
    simulation.after(simulation.exponential(1000 / CALLS_A_SECOND), arrive);
    calls++;
    budget?.deposit();
    attempt(3);
  };
  arrive();
  simulation.runUntil(60_000);
  return { good: good / 60, amplification: attempts / calls };
}

Deno.test("timeouts and retries on an overloaded server amplify its load by a fifth with the budget, not threefold", () => {
  const kept = brownOut(() => new RetryBudget(0.2));
  const lost = brownOut(() => undefined);
  assert(kept.amplification <= 1.2 + 10 / 50_000, `${kept.amplification}`);
  assert(lost.amplification > 2.5, `without a budget ${lost.amplification}`);
});

const ENDPOINTS = [1, 2, 3, 4, 5].map((n) => endpoint(`10.0.0.${n}:80`));
const WORKERS = 4;
const QUICK_MS = 20;
/** Of the last endpoint; 4 workers of it do 20 requests a second. */
const SLOW_MS = 200;
const REQUESTS_A_SECOND = 400;

type Choose = (candidates: readonly Candidate[], random: () => number) => Picker;

/** The latency that one request in a hundred exceeds, in milliseconds. */
function tailOf(choose: Choose, seed: number): number {
  const simulation = new Simulation(seed);
  const states = ENDPOINTS.map((each, index) => {
    const mean = index === ENDPOINTS.length - 1 ? SLOW_MS : QUICK_MS;
    const latency = new PeakEwma();
    const server = new Server(simulation, WORKERS, () => simulation.exponential(mean));
    const load = { inFlight: 0, expectedMs: () => latency.at(simulation.now) };
    return { endpoint: each, weight: 1, load, latency, server };
  });
  const picker = choose(states, simulation.random);
  const byEndpoint = new Map<Endpoint, (typeof states)[number]>(
    states.map((state) => [state.endpoint, state]),
  );
  const latencies: number[] = [];
  const arrive = () => {
    simulation.after(simulation.exponential(1000 / REQUESTS_A_SECOND), arrive);
    const begin = simulation.now;
    const { load, latency, server } = byEndpoint.get(picker.pick([])!)!;
    load.inFlight++;
    server.work(() => {
      load.inFlight--;
      latency.observe(simulation.now - begin, simulation.now);
      if (begin > 5000) latencies.push(simulation.now - begin);
    });
  };
  arrive();
  simulation.runUntil(30_000);
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)]!;
}

Deno.test("with one slow endpoint of five least-request and peak-EWMA have a p99 at least three times better", () => {
  for (const seed of [1, 2, 3]) {
    const blind = Math.min(
      tailOf((all) => new RoundRobin(all, { next: 0 }), seed),
      tailOf((all, random) => new RandomPicker(all, random), seed),
    );
    for (const cost of [leastRequest, peakEwma]) {
      const tail = tailOf((all, random) => new TwoChoices(all, cost, random), seed);
      assert(3 * tail <= blind, `seed ${seed}: ${tail} ms against ${blind} ms`);
    }
  }
});
