// Part of the composition root: where spans go, by the standard variables of OpenTelemetry.
import type { Bootstrap } from "./config/bootstrap.ts";
import type { Environment } from "./config/environment.ts";
import { Tracing } from "./filters/tracing.ts";
import type { Clock } from "./lib/clock.ts";
import { type OtlpTarget, sendSpans } from "./net/otlp_sender.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import type { Attributes } from "./telemetry/span.ts";
import { SpanExporter } from "./telemetry/span_exporter.ts";

export interface TracingParts {
  readonly environment: Environment;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** The filter, and how it ends; undefined where the environment names no collector. */
export interface TracingService {
  readonly filter: Tracing;
  /** Sends what is left. */
  close(): Promise<void>;
}

export function makeTracing(
  { tracing, service }: Bootstrap,
  { environment, version, clock, log, metrics }: TracingParts,
): TracingService | undefined {
  const target = targetOf(environment, log);
  if (target === undefined) return undefined;
  const exporter = new SpanExporter({
    send: (body) => sendSpans(target, body),
    resource: resourceOf(service, environment),
    version,
    clock,
    random: Math.random,
    log,
    metrics,
  });
  const filter = new Tracing(tracing, clock, (span) => exporter.add(span));
  return { filter, close: () => exporter.close() };
}

/** OpenTelemetry's "OTLP Exporter Configuration"; what is unusable is said once and then left alone. */
function targetOf(environment: Environment, log: Logger): OtlpTarget | undefined {
  const of = (name: string) =>
    environment(`OTEL_EXPORTER_OTLP_TRACES_${name}`) || environment(`OTEL_EXPORTER_OTLP_${name}`) ||
    undefined;
  const isOff = environment("OTEL_SDK_DISABLED")?.toLowerCase() === "true" ||
    environment("OTEL_TRACES_EXPORTER") === "none";
  const own = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || undefined;
  const base = environment("OTEL_EXPORTER_OTLP_ENDPOINT") || undefined;
  if (isOff || (own === undefined && base === undefined)) return undefined;
  const url = URL.parse(own ?? `${base!.replace(/\/+$/, "")}/v1/traces`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    log.error("no traces: the OTLP endpoint is no http or https URL", { endpoint: own ?? base });
    return undefined;
  }
  const protocol = of("PROTOCOL");
  if (protocol !== undefined && protocol !== "http/protobuf") {
    log.warn("traces are sent by http/protobuf, and not as the environment says", { protocol });
  }
  const timeoutMs = Number(of("TIMEOUT") ?? DEFAULT_TIMEOUT_MS);
  return {
    url: url.href,
    headers: pairsOf(of("HEADERS")),
    timeoutMs: timeoutMs > 0 && timeoutMs < 1e9 ? timeoutMs : DEFAULT_TIMEOUT_MS,
  };
}

function resourceOf(service: Bootstrap["service"], environment: Environment): Attributes {
  return {
    "service.name": service.name,
    "service.instance.id": service.id,
    "service.version": service.version,
    ...pairsOf(environment("OTEL_RESOURCE_ATTRIBUTES")),
    ...(environment("OTEL_SERVICE_NAME")
      ? { "service.name": environment("OTEL_SERVICE_NAME") }
      : {}),
  };
}

/** `key=value,key=value`, values as in URLs. */
function pairsOf(text = ""): Record<string, string> {
  const pairs = text.split(",").map((pair) => pair.split("="))
    .filter(([key, value]) => key !== undefined && key.trim() !== "" && value !== undefined);
  return Object.fromEntries(
    pairs.map(([key = "", ...value]) => [key.trim(), decode(value.join("=").trim())]),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
