import { assertEquals } from "@std/assert";
import { RetryBudget } from "./retry_budget.ts";

function withdrawAll(budget: RetryBudget): number {
  let count = 0;
  while (budget.withdraw()) count++;
  return count;
}

Deno.test("RetryBudget has a reserve, and then a share of the requests", () => {
  const budget = new RetryBudget(0.25);
  assertEquals(withdrawAll(budget), 10);
  for (let i = 0; i < 40; i++) budget.deposit();
  assertEquals(withdrawAll(budget), 10);
  assertEquals(budget.withdraw(), false);
});

Deno.test("RetryBudget saves no more than a hundred retries", () => {
  const budget = new RetryBudget(0.5);
  for (let i = 0; i < 10_000; i++) budget.deposit();
  assertEquals(withdrawAll(budget), 100);
});
