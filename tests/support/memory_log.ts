// A log that a test can read.
import { Logger, type LogLevel } from "../../sidecar/telemetry/log.ts";

/** One line as it was written. */
export type LoggedLine = Readonly<Record<string, unknown>> & {
  readonly level: LogLevel;
  readonly message: string;
};

/** Keeps every line from `info` up. */
export class MemoryLog {
  readonly lines: LoggedLine[] = [];
  readonly logger: Logger = new Logger({
    level: "info",
    format: "json",
    write: (line) => void this.lines.push(JSON.parse(line)),
    now: () => 0,
  });

  /** The messages of one level. */
  messages(level: LogLevel): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}
