// What is printed when the mesh is ready: who is where, and what to try.
import type { Address } from "../../sidecar/config/bootstrap.ts";
import type { Member, Plan } from "./plan.ts";

/** A table of names and addresses, and lines to copy. */
export function describeMesh({ gateway, members }: Plan, etcd: string | undefined): string {
  const rows = [
    ["", "service", "gRPC", "inbound", "outbound", "admin", "health"],
    ...[gateway, ...members].map(rowOf),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()}`
  );
  const edge = `http://${formatted(gateway.config.gateway!.bind)}`;
  return ["", ...table, "", ...linesToTry(edge, gateway, etcd), ""].join("\n");
}

function rowOf({ name, config }: Member): string[] {
  const { service: { app }, listeners: { inbound, outbound, admin, health }, gateway } = config;
  const traffic = app === undefined ? ["-", "-"] : [formatted(inbound), formatted(outbound)];
  const service = gateway?.bind ?? app?.http;
  return [
    name,
    service === undefined ? "-" : formatted(service),
    app?.grpc === undefined ? "-" : formatted(app.grpc),
    ...traffic,
    formatted(admin),
    formatted(health),
  ];
}

function linesToTry(edge: string, gateway: Member, etcd: string | undefined): string[] {
  const order = `{"items":[{"sku":"book","quantity":1,"unitPrice":1999}]}`;
  const bearer = `-H "Authorization: Bearer $TOKEN"`;
  return [
    "Try in another terminal (login is passwordless here: any name gets a token):",
    "",
    `  TOKEN=$(curl -s ${edge}/login -d '{"username":"alice"}' | cut -d'"' -f4)`,
    `  curl -i ${edge}/api/users/123 ${bearer}`,
    `  curl -i ${edge}/api/orders ${bearer} -H "Content-Type: application/json" -d '${order}'`,
    `  curl -i ${edge}/api/payments/PAYMENT_ID ${bearer}    # JSON here, gRPC at the service`,
    `  curl -i ${edge}/api/users/123    # 401: missing authorization header`,
    `  curl ${formatted(gateway.config.listeners.admin)}    # the gateway's admin pages`,
    ...(etcd === undefined ? [] : policyLines(etcd)),
    "",
    "Ctrl-C stops everything.",
  ];
}

function policyLines(etcd: string): string[] {
  const fault = "upstreams: { user-service: { fault: { abort: { status: 503, percent: 50% } } } }";
  return [
    "",
    "Policy comes from etcd, and can be changed while all this runs:",
    "",
    `  dist/sidecar policy status --etcd ${etcd}`,
    `  echo '${fault}' | dist/sidecar policy put gateway - --yes --etcd ${etcd}`,
    `  dist/sidecar policy rollback gateway --etcd ${etcd}`,
  ];
}

function formatted({ host, port }: Address): string {
  return `${host}:${port}`;
}
