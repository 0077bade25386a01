// Structured log lines. Owns their form; where the bytes go is the caller's `write`.

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Readonly<Record<string, unknown>>;

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  /** Takes one line with its line feed; must not block. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Writes lines at or above its level; `fields` follow the message. Errors in fields are written with their cause. */
export class Logger {
  readonly #options: LoggerOptions;
  readonly #context: LogFields;

  constructor(options: LoggerOptions, context: LogFields = {}) {
    this.#options = options;
    this.#context = context;
  }

  /** A logger that adds `context` to each of its lines. */
  with(context: LogFields): Logger {
    return new Logger(this.#options, { ...this.#context, ...context });
  }

  isEnabled(level: LogLevel): boolean {
    return SEVERITY[level] >= SEVERITY[this.#options.level];
  }

  debug(message: string, fields?: LogFields): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log("error", message, fields);
  }

  #log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (!this.isEnabled(level)) return;
    const time = new Date(this.#options.now()).toISOString();
    const line = { time, level, message, ...this.#context, ...fields };
    const text = this.#options.format === "json"
      ? JSON.stringify(line, plain)
      : `${time} ${level.padEnd(5)} ${oneLine(message)}${pairs({ ...this.#context, ...fields })}`;
    this.#options.write(text + "\n");
  }
}

/** A logger that says nothing. */
export const SILENT: Logger = new Logger({
  level: "error",
  format: "json",
  write: () => {},
  now: () => 0,
});

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    return value.cause === undefined
      ? `${value.name}: ${value.message}`
      : `${value.name}: ${value.message} (cause: ${String(value.cause)})`;
  }
  return typeof value === "bigint" ? value.toString() : value;
}

/** A message may quote what somebody sent: it must not look like a line of ours. */
function oneLine(message: string): string {
  return /\p{C}/u.test(message) ? JSON.stringify(message) : message;
}

function pairs(fields: LogFields): string {
  let text = "";
  for (const [key, value] of Object.entries(fields)) {
    const shown = plain(key, value);
    const word = typeof shown === "string" ? shown : JSON.stringify(shown, plain) ?? "undefined";
    text += ` ${key}=${/^[^\s"=\p{C}]+$/u.test(word) ? word : JSON.stringify(word)}`;
  }
  return text;
}
