import { assertEquals } from "@std/assert";
import { entry } from "../../../../tests/support/scripted_consul.ts";
import { endpointsOf, goDuration } from "./entries.ts";

Deno.test("endpointsOf reads address, tags and meta, and the node's address where the service has none", () => {
  const entries = [
    entry(1, {
      Address: "",
      Tags: ["v2"],
      Meta: { version: "v2", mesh_nonce: "x", mesh_since: "1" },
    }),
    entry(2),
  ];
  assertEquals(
    endpointsOf(entries).map(({ id, host, port, tags, meta }) => ({ id, host, port, tags, meta })),
    [
      { id: "a-1", host: "10.0.0.1", port: 1, tags: ["v2"], meta: { version: "v2" } },
      { id: "a-2", host: "10.0.0.2", port: 2, tags: [], meta: {} },
    ],
  );
});

Deno.test("endpointsOf leaves out what nobody could dial", () => {
  assertEquals(endpointsOf([entry(0), entry(70_000), entry(3)]).map(({ port }) => port), [3]);
});

Deno.test("endpointsOf tells apart two nodes that use one id, the elder keeping it", () => {
  const node = (name: string) => ({ Node: name, Address: "10.0.0.1" });
  const later = { ...entry(1, { CreateIndex: 9 }), Node: node("b") };
  const earlier = { ...entry(1, { CreateIndex: 5 }), Node: node("c") };
  assertEquals(endpointsOf([later, earlier]).map(({ id }) => id), ["a-1", "a-1@b"]);
});

Deno.test("goDuration writes what Go reads, and never nothing", () => {
  assertEquals([goDuration(10_000), goDuration(0.2)], ["10000ms", "1ms"]);
});
