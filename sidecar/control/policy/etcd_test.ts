import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeClock, settle } from "../../../tests/support/fake_clock.ts";
import { MemoryEtcd } from "../../../tests/support/memory_etcd.ts";
import { MemoryFiles } from "../../../tests/support/memory_files.ts";
import { MemoryLog } from "../../../tests/support/memory_log.ts";
import type { Policy } from "../../config/bootstrap.ts";
import { ConfigError } from "../../errors.ts";
import { EtcdPolicySource } from "./etcd.ts";
import { type Documents, LastGood } from "./last_good.ts";

const OWN = "/mesh/policy/a";
const BASE = "/mesh/policy/_default";
const STATUS = "/mesh/status/a/a-1";
const CANARY = "/mesh/canary/a";
const FILE = "/cache/policy.json";

/** `timeout N`, from either document; everything else is refused. */
function parse({ base, own }: Documents): Promise<Policy> {
  const text = own ?? base ?? "timeout 15000";
  const timeout = /^timeout (\d+)$/.exec(text)?.[1];
  if (timeout === undefined) {
    const message = `expected "timeout N", not "${text}"`;
    const problem = { file: OWN, line: 1, column: 1, path: "", message };
    return Promise.reject(new ConfigError([problem]));
  }
  return Promise.resolve({ upstreams: new Map(), inbound: { timeoutMs: Number(timeout) } });
}

function rig(etcd = new MemoryEtcd(), clock = new FakeClock(), files = new MemoryFiles(clock)) {
  const log = new MemoryLog();
  const reports: string[] = [];
  const traffic = { requests: 0, failures: 0 };
  const source = new EtcdPolicySource({
    open: etcd.open,
    prefix: "/mesh",
    service: "a",
    instance: "a-1",
    traffic: () => traffic,
    parse,
    lastGood: new LastGood(FILE, files.io(1), log.logger),
    clock,
    random: () => 0.5,
    log: log.logger,
  });
  const listener = {
    update: ({ revision, policy }: { revision: string; policy: Policy }) =>
      void reports.push(`${revision}: ${policy.inbound.timeoutMs}`),
    problem: ({ revision, error }: { revision: string; error: ConfigError }) =>
      void reports.push(`${revision}! ${error.problems[0]?.message}`),
  };
  const status = () => JSON.parse(etcd.text(STATUS) ?? "null");
  /** Reports since the last call. */
  const news = () => reports.splice(0);
  return {
    etcd,
    clock,
    files,
    log,
    source,
    status,
    news,
    traffic,
    start: () => source.start(listener),
  };
}

/** Takes the reports and closes; nothing may be left open. */
async function close({ source, etcd, clock }: ReturnType<typeof rig>): Promise<void> {
  await source.close();
  assertEquals([etcd.connections, etcd.watches, clock.pending], [0, 0, 0]);
}

Deno.test("EtcdPolicySource takes what stands there before start resolves, and says so under a lease", async () => {
  const all = rig();
  all.etcd.put(BASE, "timeout 1");
  all.etcd.put(OWN, "timeout 2");
  await all.start();
  await settle();
  assertEquals(all.news(), ["2+3: 2"]);
  const since = new Date(all.clock.epoch()).toISOString();
  assertEquals(all.status(), { revision: "2+3", accepted: true, error: null, since });
  await close(all);
  assertEquals(all.etcd.text(STATUS), undefined);
});

Deno.test("EtcdPolicySource has the defaults where nothing stands there", async () => {
  const all = rig();
  await all.start();
  await settle();
  assertEquals(all.news(), ["none: 15000"]);
  assertEquals(all.status().revision, "none");
  await close(all);
});

Deno.test("EtcdPolicySource follows changes of either document at once", async () => {
  const all = rig();
  await all.start();
  const own = all.etcd.put(OWN, "timeout 2");
  await settle();
  const base = all.etcd.put(BASE, "timeout 1");
  await settle();
  all.etcd.put(OWN, undefined);
  await settle();
  assertEquals(all.news(), [
    "none: 15000",
    `${own}: 2`,
    `${base}+${own}: 2`,
    `${base}: 1`,
  ]);
  await close(all);
});

Deno.test("EtcdPolicySource refuses a document whole, keeps what is in force, and says why", async () => {
  const all = rig();
  const good = all.etcd.put(OWN, "timeout 2");
  await all.start();
  const bad = all.etcd.put(OWN, "timeuot 3");
  await settle();
  assertEquals(all.news(), [`${good}: 2`, `${bad}! expected "timeout N", not "timeuot 3"`]);
  const { revision, accepted, error } = all.status();
  assertEquals([revision, accepted], [String(bad), false]);
  assertStringIncludes(error, 'not "timeuot 3"');
  await all.clock.advance(60_000);
  assertEquals(all.news(), []);
  const fixed = all.etcd.put(OWN, "timeout 3");
  await settle();
  assertEquals(all.news(), [`${fixed}: 3`]);
  assertEquals([all.status().accepted, all.status().error], [true, null]);
  await close(all);
});

Deno.test("EtcdPolicySource remembers only what was accepted", async () => {
  const all = rig();
  all.etcd.put(OWN, "timeout 2");
  await all.start();
  await settle();
  all.etcd.put(OWN, "rubbish");
  await settle();
  assertEquals(JSON.parse(all.files.text(FILE) ?? "").own, "timeout 2");
  await close(all);
});

Deno.test("EtcdPolicySource starts without etcd on the last good policy, and catches up", async () => {
  const clock = new FakeClock();
  const files = new MemoryFiles(clock);
  const etcd = new MemoryEtcd();
  const before = rig(etcd, clock, files);
  etcd.put(OWN, "timeout 2");
  await before.start();
  await settle();
  await close(before);
  etcd.isAway = true;
  const after = rig(etcd, clock, files);
  const started = after.start();
  await clock.advance(2999);
  assertEquals(after.news(), []);
  await clock.advance(1);
  await started;
  assertEquals(after.news(), ["2: 2"]);
  assertMatch(after.log.messages("warn").join(), /starting with the last good policy/);
  const missed = etcd.put(OWN, "timeout 3");
  etcd.isAway = false;
  await clock.advance(2500);
  assertEquals(after.news(), [`${missed}: 3`]);
  assertEquals(after.status().revision, String(missed));
  await close(after);
});

Deno.test("EtcdPolicySource without etcd and without a last good policy has the defaults", async () => {
  const all = rig();
  all.etcd.isAway = true;
  const started = all.start();
  await all.clock.advance(3000);
  await started;
  assertEquals(all.news(), ["missing! etcd has not answered; the policy defaults apply"]);
  await close(all);
});

Deno.test("EtcdPolicySource does not spin while etcd is away, says so once, and keeps what is in force", async () => {
  const all = rig();
  all.etcd.put(OWN, "timeout 2");
  await all.start();
  await settle();
  all.news();
  all.etcd.isAway = true;
  all.etcd.endWatches(new Error("gone"));
  const before = all.etcd.reads;
  await all.clock.advance(600_000);
  all.etcd.isAway = false;
  await all.clock.advance(2500);
  assertEquals(all.etcd.reads - before <= 3, true, `${all.etcd.reads - before} reads`);
  assertEquals(all.news(), []);
  assertEquals(all.log.lines.map(({ message }) => message), [
    "reading the policy from etcd failed, retrying",
    "reading the policy from etcd works again",
  ]);
  await close(all);
});

Deno.test("EtcdPolicySource reads anew when a watch ends, as after a compaction", async () => {
  const all = rig();
  await all.start();
  await settle();
  all.news();
  all.etcd.isMute = true;
  const missed = all.etcd.put(OWN, "timeout 4");
  all.etcd.endWatches(new Error("required revision has been compacted"));
  await settle();
  assertEquals(all.news(), [`${missed}: 4`]);
  assertEquals(all.etcd.watches, 1);
  await close(all);
});

Deno.test("EtcdPolicySource finds by polling what a watch has swallowed, and connects anew", async () => {
  const all = rig();
  await all.start();
  await settle();
  all.news();
  all.etcd.isMute = true;
  const missed = all.etcd.put(OWN, "timeout 5");
  await all.clock.advance(2500);
  assertEquals(all.news(), [`${missed}: 5`]);
  assertEquals([all.etcd.connections, all.etcd.watches], [1, 1]);
  all.etcd.isMute = false;
  const next = all.etcd.put(OWN, "timeout 6");
  await settle();
  assertEquals(all.news(), [`${next}: 6`]);
  await close(all);
});

Deno.test("EtcdPolicySource announces its status anew when the lease is gone", async () => {
  const all = rig();
  await all.start();
  await settle();
  all.etcd.put(STATUS, undefined);
  await all.clock.advance(5000);
  assertEquals(all.status().revision, "none");
  await close(all);
});

Deno.test("EtcdPolicySource puts a policy on trial where it is named, and goes back when the trial ends", async () => {
  const all = rig();
  const own = all.etcd.put(OWN, "timeout 2");
  await all.start();
  const put = (instances: readonly string[]) =>
    all.etcd.put(CANARY, JSON.stringify({ text: "timeout 9", instances }));
  put(["a-2"]);
  await settle();
  assertEquals(all.news(), [`${own}: 2`]);
  const trial = put(["a-1", "a-2"]);
  await settle();
  assertEquals(all.news(), [`${trial}: 9`]);
  assertEquals(all.status().revision, String(trial));
  assertEquals(JSON.parse(all.files.text(FILE) ?? "").own, "timeout 2");
  all.etcd.put(CANARY, undefined);
  await settle();
  assertEquals(all.news(), [`${own}: 2`]);
  await close(all);
});

Deno.test("EtcdPolicySource tells what becomes of requests as long as a trial is on", async () => {
  const all = rig();
  await all.start();
  await settle();
  assertEquals(all.status().traffic, undefined);
  all.etcd.put(CANARY, JSON.stringify({ text: "timeout 9", instances: ["a-2"] }));
  Object.assign(all.traffic, { requests: 7, failures: 1 });
  await all.clock.advance(2500);
  assertEquals(all.status().traffic, { requests: 7, failures: 1 });
  all.etcd.put(CANARY, "rubbish");
  await all.clock.advance(2500);
  assertEquals(all.status().accepted, true);
  await close(all);
});

Deno.test("EtcdPolicySource survives a connection that cannot be opened", async () => {
  const all = rig();
  const { open } = all.etcd;
  let isBroken = true;
  const source = new EtcdPolicySource({
    open: () => isBroken ? Promise.reject(new Error("ca.pem: there is no such file")) : open(),
    prefix: "/mesh",
    service: "a",
    instance: "a-1",
    traffic: () => ({ requests: 0, failures: 0 }),
    parse,
    lastGood: new LastGood(FILE, all.files.io(1), all.log.logger),
    clock: all.clock,
    random: () => 0.5,
    log: all.log.logger,
  });
  const reports: string[] = [];
  const started = source.start({
    update: ({ revision }) => void reports.push(revision),
    problem: ({ revision }) => void reports.push(`${revision}!`),
  });
  await all.clock.advance(3000);
  await started;
  isBroken = false;
  await all.clock.advance(2500);
  assertEquals(reports, ["missing!", "none"]);
  await source.close();
});
