import { assertEquals } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { Followed } from "./followed.ts";

interface Answer {
  readonly index: number;
  readonly text: string;
}

/** Questions that wait until the test answers them. */
function rig() {
  const clock = new FakeClock();
  const asked: number[] = [];
  let settle: PromiseWithResolvers<Answer> | undefined;
  const answers: string[] = [];
  const ask = (index: number, cut: AbortSignal) => {
    asked.push(index);
    settle = Promise.withResolvers<Answer>();
    cut.addEventListener("abort", () => settle!.reject(new Error("cut")));
    return settle.promise;
  };
  const followed = new Followed({ index: 7, text: "first" }, ask, {
    clock,
    random: () => 0,
    onAnswer: () => answers.push(followed.latest.text),
  });
  const answer = (index: number, text: string) => settle!.resolve({ index, text });
  const fail = (message: string) => settle!.reject(new Error(message));
  return { clock, asked, answers, followed, answer, fail };
}

Deno.test("Followed asks for what is newer than the last answer, and not without a pause", async () => {
  const { clock, asked, answers, followed, answer } = rig();
  assertEquals([asked, followed.latest.text], [[7], "first"]);
  answer(9, "second");
  await clock.advance(499);
  assertEquals([asked, answers], [[7], ["second"]]);
  await clock.advance(1);
  assertEquals(asked, [7, 9]);
  await followed.close();
  assertEquals(clock.pending, 0);
});

Deno.test("Followed starts over when the index goes backwards, and never asks what would not wait", async () => {
  const { clock, asked, followed, answer } = rig();
  answer(3, "restarted");
  await clock.advance(500);
  answer(0, "nonsense");
  await clock.advance(500);
  assertEquals(asked, [7, 0, 1]);
  assertEquals(followed.latest.text, "nonsense");
  await followed.close();
});

Deno.test("Followed keeps its answer while questions fail, says why, and asks again after a wait", async () => {
  const { clock, asked, answers, followed, answer, fail } = rig();
  fail("refused");
  await clock.advance(0);
  assertEquals([followed.latest.text, followed.failure], ["first", "refused"]);
  await clock.advance(499);
  assertEquals(asked, [7]);
  await clock.advance(1);
  assertEquals(asked, [7, 0], "whatever it had may be ahead of a server that started anew");
  answer(2, "back");
  await clock.advance(0);
  assertEquals([answers, followed.failure], [["back"], undefined]);
  await followed.close();
});
