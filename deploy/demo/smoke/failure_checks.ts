// What becomes of the mesh when parts of it die, and that it heals.
import { until } from "../polling.ts";
import { type Check, describe, expectHeader, Mismatch, type Session } from "./check.ts";
import type { Answer } from "./client.ts";

/** The promise: who dies is out of the registry, and who comes back is in again, within ten seconds. */
const NOTICED_MS = 10_000;
/** Below the rate limit of 10 a second. */
const EVERY_MS = 250;

const NO_ENDPOINTS = JSON.stringify({
  error: "service unavailable: no healthy instances found for service: user-service",
});

/** In order: each finds the mesh as the one before left it. */
export const FAILURE_CHECKS: readonly Check[] = [
  {
    name: "a killed service is out of rotation",
    async run(session) {
      await session.mesh.kill("user-service");
      const answer = await untilAnswer(session, ({ status }) => status === 503);
      if (answer.text !== NO_ENDPOINTS) throw new Mismatch(NO_ENDPOINTS, describe(answer));
      expectHeader(answer, "x-mesh-reason", "no-endpoints");
    },
  },
  {
    name: "a service that comes back is in rotation again",
    async run(session) {
      session.mesh.startAgain("user-service");
      await untilAnswer(session, ({ status }) => status === 200);
    },
  },
  {
    name: "a killed sidecar is out of the registry",
    async run({ mesh }) {
      await mesh.kill("user-sidecar");
      await until("user-service without endpoints", { ms: NOTICED_MS }, async () => {
        return await mesh.endpoints("user-service") === 0;
      });
    },
  },
  {
    name: "a sidecar that comes back is in rotation again",
    async run(session) {
      session.mesh.startAgain("user-sidecar");
      await untilAnswer(session, ({ status }) => status === 200);
    },
  },
];

/** Asks for a user until the answer is the one waited for; before that comes whatever comes. */
async function untilAnswer(
  { client }: Session,
  isIt: (answer: Answer) => boolean,
): Promise<Answer> {
  const token = await client.login("bob");
  let last: Answer | undefined;
  const what = () => `the last answer was ${last === undefined ? "none" : describe(last)}`;
  await until(what, { ms: NOTICED_MS, everyMs: EVERY_MS }, async () => {
    last = await client.send("/api/users/123", { token });
    return isIt(last);
  });
  return last!;
}
