import { assertEquals } from "@std/assert";
import { Budget } from "./budget.ts";

function spendAll(budget: Budget): number {
  let count = 0;
  while (budget.spend()) count++;
  return count;
}

Deno.test("Budget is used up, comes back with time, and never holds more than its size", () => {
  const budget = new Budget(10, 1000);
  assertEquals(spendAll(budget), 10);
  budget.refill(5000);
  assertEquals(spendAll(budget), 0);
  budget.refill(5300);
  assertEquals(spendAll(budget), 3);
  budget.refill(99_000);
  assertEquals(spendAll(budget), 10);
  budget.earn(4);
  assertEquals(spendAll(budget), 4);
  budget.earn(400);
  assertEquals(spendAll(budget), 10);
});
