// One JSON line on stderr for each event of a service's life: start, stop, error. Requests are logged by whoever proxies them.

/** Writes one line; `details` must hold nothing secret. */
export type Log = (
  level: "info" | "error",
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** A log that names its service on every line. */
export function createLog(service: string): Log {
  const encoder = new TextEncoder();
  return (level, message, details = {}) => {
    const line = { time: new Date().toISOString(), level, service, message, ...details };
    Deno.stderr.writeSync(encoder.encode(JSON.stringify(line) + "\n"));
  };
}
