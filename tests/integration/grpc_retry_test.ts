// Retries of gRPC calls by the caller's policy: of what was refused before its first message, within budget and deadline.
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { type sendUnaryData, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { failure, GrpcApp } from "./support/grpc_app.ts";
import { GrpcCaller, statusOf, textOf } from "./support/grpc_caller.ts";
import { Road } from "./support/grpc_mesh.ts";
import { Workspace } from "./support/workspace.ts";

const REFUSAL = failure(status.UNAVAILABLE, "not now");
const RETRY = { attempts: 2, backoff: "1ms..5ms" };

type Answer = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => void;

/** An app that answers its nth call by the nth of `answers`, and all others by the last; `seen` has one entry a call. */
class Scripted {
  readonly seen: string[] = [];
  answers: readonly Answer[] = [];

  listen(): Promise<GrpcApp> {
    return GrpcApp.listen({
      Unary: (call, callback) => {
        const answer = this.answers[Math.min(this.seen.length, this.answers.length - 1)];
        this.seen.push(String(call.request));
        answer?.(call, callback);
      },
      Download: (call) => {
        this.seen.push("download");
        call.write(Buffer.from("first"));
        call.emit("error", REFUSAL);
      },
    });
  }

  expect(...answers: Answer[]): void {
    this.seen.length = 0;
    this.answers = answers;
  }
}

const refuse: Answer = (_, callback) => callback(REFUSAL);
const echo: Answer = ({ request }, callback) => callback(null, request);

Deno.test("with a policy of two attempts", async (t) => {
  const script = new Scripted();
  await using workspace = new Workspace();
  using app = await script.listen();
  await using road = await Road.start(workspace, app.port, { retry: RETRY });
  using caller = new GrpcCaller(road.port);

  await t.step("a call that is refused once is made again, with its message", async () => {
    script.expect(refuse, echo);
    assertEquals(textOf(await caller.unary("hello")), "hello");
    assertEquals(script.seen, ["hello", "hello"]);
  });

  await t.step("a call that is refused twice is refused", async () => {
    script.expect(refuse);
    assertEquals(statusOf(await caller.unary("hello")), [status.UNAVAILABLE, "not now"]);
    assertEquals(script.seen.length, 2);
  });

  await t.step("another status than UNAVAILABLE is an answer", async () => {
    script.expect((_, callback) => callback(failure(status.INTERNAL, "broken")), echo);
    assertEquals(statusOf(await caller.unary("hello")), [status.INTERNAL, "broken"]);
    assertEquals(script.seen.length, 1);
  });

  await t.step("UNAVAILABLE behind a message is not the beginning", async () => {
    script.expect();
    const ending = await caller.download("").rest();
    assertEquals(ending.code, status.UNAVAILABLE);
    assertEquals(script.seen, ["download"]);
  });

  await t.step("the second attempt has only what the first left of the deadline", async () => {
    const left: number[] = [];
    const look: Answer = (call) => left.push(Number(call.getDeadline()) - Date.now());
    const slowly: Answer = (call, callback) => {
      look(call, callback);
      setTimeout(() => callback(REFUSAL), 500);
    };
    script.expect(slowly, (call, callback) => {
      look(call, callback);
      echo(call, callback);
    });
    assertEquals((await caller.unary("hello", { deadline: Date.now() + 5000 })).code, status.OK);
    const [first = 0, second = 0] = left;
    assertGreater(first - second, 450);
    assertLess(first, 5050);
  });

  await t.step("an outage is not multiplied: the budget bounds what reaches the app", async () => {
    script.expect(refuse);
    const calls = 500;
    for (let sent = 0; sent < calls; sent += 50) {
      const endings = await Promise.all(Array.from({ length: 50 }, () => caller.unary("x")));
      assert(endings.every(({ code }) => code === status.UNAVAILABLE));
    }
    // A fifth, and the reserve of ten with what the good calls before have saved.
    assertLess(script.seen.length, calls * 1.2 + 12);
    assertGreater(script.seen.length, calls * 1.15);
  });
});

Deno.test("without a policy a refused call is not made again", async () => {
  const script = new Scripted();
  await using workspace = new Workspace();
  using app = await script.listen();
  await using road = await Road.start(workspace, app.port);
  using caller = new GrpcCaller(road.port);
  script.expect(refuse, echo);
  assertEquals(statusOf(await caller.unary("hello")), [status.UNAVAILABLE, "not now"]);
  assertEquals(script.seen, ["hello"]);
});
