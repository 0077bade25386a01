import { assertEquals } from "@std/assert";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { parsePrometheus } from "../../tests/support/prometheus.ts";
import { ProxyError } from "../errors.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { TcpJournal, type TcpRecord } from "./tcp_journal.ts";

const RECORD: TcpRecord = {
  listener: "outbound to redis",
  upstream: "redis",
  endpoint: "10.0.0.1:6379",
  peer: { host: "127.0.0.1", port: 4711 },
  durationMs: 12.3456,
  sent: 10,
  received: 20,
  error: undefined,
};

const FAILED: TcpRecord = {
  ...RECORD,
  error: new ProxyError("connect-failed", "no connection", {
    side: "upstream",
    cause: new Error("refused"),
  }),
};

const CUT: TcpRecord = {
  ...RECORD,
  error: new ProxyError("downstream-gone", "the downstream broke the connection", {
    side: "downstream",
  }),
};

function rig(access: "off" | "errors" | "all") {
  const metrics = new Metrics();
  const log = new MemoryLog();
  return { metrics, log, journal: new TcpJournal(metrics, log.logger, access) };
}

Deno.test("TcpJournal counts connections by why they ended, and bytes both ways", () => {
  const { metrics, journal } = rig("off");
  for (const record of [RECORD, RECORD, FAILED]) journal.write(record);
  const bytes = journal.bytesOf("redis");
  bytes.sent.add(10);
  bytes.received.add(20);
  journal.bytesOf("redis").sent.add(1);
  const families = parsePrometheus(metrics.render());
  assertEquals([...families.get("mesh_tcp_connections_total")!.samples], [
    ['mesh_tcp_connections_total{upstream="redis",reason="none"}', 2],
    ['mesh_tcp_connections_total{upstream="redis",reason="connect-failed"}', 1],
  ]);
  assertEquals([...families.get("mesh_tcp_bytes_total")!.samples], [
    ['mesh_tcp_bytes_total{upstream="redis",direction="sent"}', 11],
    ['mesh_tcp_bytes_total{upstream="redis",direction="received"}', 20],
  ]);
});

Deno.test("TcpJournal writes a line for each connection where all are wanted", () => {
  const { log, journal } = rig("all");
  journal.write(RECORD);
  const { timestamp: _timestamp, ...line } = log.lines[0] as Record<string, unknown>;
  assertEquals(line, {
    ...line,
    level: "info",
    message: "connection",
    listener: "outbound to redis",
    upstream: "redis",
    endpoint: "10.0.0.1:6379",
    peer: "127.0.0.1:4711",
    durationMs: 12.35,
    sent: 10,
    received: 20,
  });
  assertEquals(["reason" in line, "error" in line], [false, false]);
});

Deno.test("TcpJournal writes lines as access logging says, and of an upstream's failure always", () => {
  const levels = (access: "off" | "errors" | "all", record: TcpRecord) => {
    const { log, journal } = rig(access);
    journal.write(record);
    return log.lines.map(({ level, reason }) => `${level} ${reason}`);
  };
  assertEquals(levels("off", RECORD), []);
  assertEquals(levels("errors", RECORD), []);
  assertEquals(levels("off", CUT), []);
  assertEquals(levels("errors", CUT), ["info downstream-gone"]);
  assertEquals(levels("off", FAILED), ["warn connect-failed"]);
  assertEquals(levels("errors", FAILED), ["warn connect-failed", "info connect-failed"]);
});
