// The address of a Consul agent: http, https or a Unix socket. Text only.
import { parseHost } from "./addresses.ts";
import type { ConsulAddress } from "./bootstrap.ts";
import { expected, type Parsed } from "./units.ts";

export const CONSUL_ADDRESS =
  "the address of an agent such as http://127.0.0.1:8500, https://consul.internal:8501 or unix:///run/sidecar/consul.sock";

/** The shape for editors; parseConsulAddress is what decides. */
export const CONSUL_ADDRESS_PATTERN = /^(?:https?:\/\/[^/?#@\s]+|unix:\/\/\/\S+)$/;

/** What an agent listens on unless told otherwise. */
const PORTS = { http: 8500, https: 8501 } as const;

export function parseConsulAddress(text: string): Parsed<ConsulAddress> {
  if (!CONSUL_ADDRESS_PATTERN.test(text)) return expected(CONSUL_ADDRESS);
  if (text.startsWith("unix://")) {
    return { ok: true, value: { kind: "unix", path: text.slice("unix://".length) } };
  }
  const kind = text.startsWith("https:") ? "https" : "http";
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::([1-9][0-9]{0,4}))?$/
    .exec(text.slice(kind.length + "://".length));
  const host = parseHost(match?.[1] ?? match?.[2] ?? "");
  const port = Number(match?.[3] ?? PORTS[kind]);
  if (!host.ok || port > 65_535) return expected(CONSUL_ADDRESS);
  return { ok: true, value: { kind, host: host.value, port } };
}
