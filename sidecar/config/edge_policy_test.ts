// What an edge does may stand in the gateway section or in a policy.
import { assertEquals } from "@std/assert";
import {
  bootstrap,
  MINIMAL,
  policy,
  policyProblems,
  problemsWith,
  SECRET,
} from "./test_documents.ts";

const ROUTE = "{ match: { path: /api/* }, to: a }";
const EDGE = `cors: { origins: ['*'] }, jwt: { secret: ${SECRET} }, routes: [${ROUTE}]`;

Deno.test("a policy says what an edge does as the gateway section does", () => {
  const { cors, jwt, routes } = bootstrap(`${MINIMAL}gateway: { ${EDGE} }\n`).gateway!;
  const alone = policy(`gateway: { ${EDGE} }\n`).gateway;
  assertEquals(alone, { cors: cors!, jwt: jwt!, routes });
  const both = bootstrap(`${MINIMAL}gateway: {}\npolicy: { gateway: { ${EDGE} } }\n`);
  assertEquals([both.gateway?.routes, both.policy.gateway], [[], alone]);
});

Deno.test("the rules of an edge hold in a policy too, by its own paths", () => {
  assertEquals(policyProblems(`gateway: { routes: [${ROUTE}, ${ROUTE}] }\n`), [
    "1:66: gateway.routes[1].match: the same match as gateway.routes[0], expected it once",
  ]);
  assertEquals(
    problemsWith(
      "gateway: {}\npolicy: { gateway: { routes: [{ match: { path: /* }, to: a, auth: jwt }] } }\n",
    ),
    [
      "4:67: policy.gateway.routes[0].auth: nothing to check tokens with, expected a policy.gateway.jwt section",
    ],
  );
  assertEquals(policyProblems("gateway: {}\n"), [
    "1:1: gateway.routes: missing, expected a list",
  ]);
  assertEquals(policyProblems("gateway: { bind: 0.0.0.0:80, routes: [] }\n").length, 2);
});

Deno.test("what an edge does stands in one place, and somewhere", () => {
  assertEquals(problemsWith("gateway: {}\n"), [
    "3:10: gateway: no routes, expected which requests go where",
  ]);
  assertEquals(problemsWith("gateway: {}\npolicySource: { file: p.yaml }\n"), []);
  assertEquals(problemsWith(`policy: { gateway: { routes: [${ROUTE}] } }\n`), [
    "3:20: policy.gateway: this instance is no edge, expected a gateway section too",
  ]);
  const pushed = `policy: { gateway: { routes: [${ROUTE}] } }\n`;
  assertEquals(problemsWith(`gateway: { routes: [${ROUTE}] }\n${pushed}`), [
    "3:20: gateway.routes: policy.gateway says what the edge does, expected all of it there",
  ]);
});
